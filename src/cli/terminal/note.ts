import type { CliContext } from '../context.ts'
import { paint } from './colour.ts'
import { plainLines } from './plain-text.ts'

/** A message of the command line itself, as opposed to a job's output: on stderr, prefixed with the program's name. */
export const notes =
  ({ stderr }: CliContext) =>
  (text: string): void => {
    stderr.write(`${paint(stderr, 'dim', `millrace: ${plainLines(text)}`)}\n`)
  }
