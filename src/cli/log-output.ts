import { once } from 'node:events'
import type { LogLineAnswer } from './client/job-answer.ts'
import type { CliContext } from './context.ts'
import { paint } from './terminal/colour.ts'

type LineForm = (line: LogLineAnswer) => string

const plain: LineForm = line => `${line.line}\n`

/** Writes lines of a job's stdout to our stdout, and of its stderr to our stderr, in order. Waits for a slow reader. */
export const writeLines = async (
  { stdout, stderr }: CliContext,
  lines: readonly LogLineAnswer[],
  form: LineForm = plain,
): Promise<void> => {
  for (const run of runsOfOneStream(lines)) {
    const stream = run[0]!.stream === 'stdout' ? stdout : stderr
    await write(stream, run.map(form).join(''))
  }
}

/** Writes lines as NDJSON, all to stdout. */
export const writeJsonLines = ({ stdout }: CliContext, lines: readonly LogLineAnswer[]): Promise<void> =>
  write(stdout, lines.map(line => `${JSON.stringify(line)}\n`).join(''))

/** A line with its time of arrival in front. */
export const withTimestamp =
  ({ stdout }: CliContext): LineForm =>
  line =>
    `${paint(stdout, 'dim', line.timestamp)} ${line.line}\n`

const write = async (stream: NodeJS.WriteStream, text: string): Promise<void> => {
  if (text !== '' && !stream.write(text)) await once(stream, 'drain')
}

/** Groups consecutive lines of a stream, to write them at once. */
const runsOfOneStream = (lines: readonly LogLineAnswer[]): readonly (readonly LogLineAnswer[])[] => {
  const runs: LogLineAnswer[][] = []
  for (const line of lines) {
    const last = runs.at(-1)
    if (last?.[0]?.stream === line.stream) last.push(line)
    else runs.push([line])
  }
  return runs
}
