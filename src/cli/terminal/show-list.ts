import type { CliContext } from '../context.ts'
import { notes } from './note.ts'
import { type Column, formatTable } from './table.ts'

/** A list of the API: as JSON for programs, a table for people, words on stderr when it is empty. */
export const showList = <Row>(input: {
  readonly context: CliContext
  /** The answer of the API as it came. */
  readonly answer: object
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  /** What is listed, in the plural. */
  readonly things: string
  readonly json: boolean | undefined
}): void => {
  const { stdout, stderr } = input.context
  if (input.json) stdout.write(`${JSON.stringify(input.answer)}\n`)
  else if (input.rows.length === 0) stderr.write(`no ${input.things}\n`)
  else {
    stdout.write(formatTable(input.columns, input.rows, stdout.columns))
    if ('next_cursor' in input.answer && input.answer.next_cursor !== null) {
      const { length } = input.rows
      notes(input.context)(
        `${length === 1 ? `only one of the ${input.things}` : `the first ${length} ${input.things}`}; -n shows more`,
      )
    }
  }
}
