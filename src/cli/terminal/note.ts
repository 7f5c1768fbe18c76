import type { CliContext } from '../context.ts'
import { CLEAR_LINE } from './bar.ts'
import { paint } from './colour.ts'
import { plainLines } from './plain-text.ts'

/** A message of the command line itself, as opposed to a job's output: on stderr, prefixed with the program's name. */
export const notes =
  ({ stderr }: CliContext) =>
  (text: string): void => {
    stderr.write(`${paint(stderr, 'dim', `millrace: ${plainLines(text)}`)}\n`)
  }

/** Says so over the progress bar, if there is one. */
export const noteLost = (context: CliContext) => (): void => {
  if (context.stderr.isTTY) context.stderr.write(CLEAR_LINE)
  notes(context)('connection lost; connecting again')
}
