import { createInterface } from 'node:readline/promises'
import type { CliContext } from './context.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'

/**
 * Asks for confirmation on the terminal; anything but yes, including Ctrl-C and Ctrl-D, means no. Without a terminal it throws `CliFailure` with the exit code
 * of a no: scripts must pass `--yes`.
 */
export const confirm = async (context: CliContext, question: string, hint?: string): Promise<boolean> => {
  requireTerminal(context, hint)
  const { stdin, stderr } = context
  const reader = createInterface({ input: stdin, output: stderr })
  const { promise: closed, resolve: close } = Promise.withResolvers<string>()
  reader.once('close', () => close(''))
  try {
    const answer = await Promise.race([reader.question(`${question} [y/N] `), closed])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    reader.close()
  }
}

/** Throws as `confirm` does, for commands that have work to do before they can ask. */
export const requireTerminal = (
  { stdin, stderr }: CliContext,
  hint = 'There is no terminal to ask on; give --yes.',
): void => {
  if (!stdin.isTTY || !stderr.isTTY)
    throw new CliFailure('not confirmed, so nothing was changed', { exitCode: EXIT.failed, hint })
}
