import type { CliContext } from '../context.ts'
import { notes } from './note.ts'
import { type Column, formatTable } from './table.ts'

/** Prints a list from the API: as JSON for programs, or a table for people; if it is empty, a message on stderr. */
export const showList = <Row>(input: {
  readonly context: CliContext
  /** The API's unchanged answer. */
  readonly answer: object
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  /** The name of the entries, in the plural. */
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
        `${length === 1 ? `one of several ${input.things}` : `the first ${length} ${input.things}`}; -n shows more`,
      )
    }
  }
}
