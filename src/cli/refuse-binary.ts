import type { CliContext } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'

const BINARY: ReadonlySet<string> = new Set(['arrow', 'arrow_stream', 'parquet'])

/** Throws `CliFailure` if a result in this format would be printed on a terminal. */
export const refuseBinary = (format: string, { stdout }: Pick<CliContext, 'stdout'>): void => {
  if (stdout.isTTY && BINARY.has(format))
    throw new CliFailure(`${format} is not for a terminal; write it to a file with -o`, { exitCode: EXIT.usage })
}
