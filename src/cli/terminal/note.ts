import type { CliContext } from '../context.ts'
import { paint } from './colour.ts'
import { plainLines } from './plain-text.ts'

/** Words of the command line itself, beside the output of a job: on stderr, with its name before them. */
export const notes =
  ({ stderr }: CliContext) =>
  (text: string): void => {
    stderr.write(`${paint(stderr, 'dim', `millrace: ${plainLines(text)}`)}\n`)
  }
