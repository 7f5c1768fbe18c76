import { ImportFailure } from '../import-failure.ts'
import { LONGEST_RECORD } from '../sieve/sieve-report.ts'
import { peek } from './peek.ts'
import { beginsWithMeta, META_BYTES, resultRows, startOfRows } from './result-rows.ts'
import { RowLines } from './row-lines.ts'

/** More white space than any content begins with. */
const LOOK_BYTES = 4096

/**
 * NDJSON from JSON over several lines (RFC 8259): each object and each element of an array becomes a line, and so do the rows of a query's result. All other
 * content stays as it is. A part is valid until the next is requested. Throws `ImportFailure` `content_unreadable` if something in it has no end, and if
 * it begins with an object that is too long for a row.
 */
export async function* jsonRows(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let { head, whole } = await peek(content, LOOK_BYTES)
  if (beginsWithMeta(head)) ({ head, whole } = await peek(whole, META_BYTES))
  const start = startOfRows(head)
  if (start !== null) return yield* resultRows(whole, start)
  if (!isOverLines(head)) return yield* whole
  const lines = new RowLines()
  let read = 0
  for await (const chunk of whole) {
    yield lines.take(Buffer.from(chunk))
    read += chunk.length
    if (read > LONGEST_RECORD && lines.isInFirstObject) throw new ImportFailure('content_unreadable', TOO_LONG)
  }
  lines.end()
}

/** For a first row that is very long. */
export const ROWS_IN_A_LIST =
  "If the rows are a list in it, take them out: jq -c '.data[]' does for a list called data."

const TOO_LONG = `The first object has more than 16 MiB, which no row may have. ${ROWS_IN_A_LIST}`

/**
 * Whether content is an array, or objects of several lines, whose first line is `{` alone. It may have a byte order mark. A longer first line without the end of
 * its object is taken as a broken line of NDJSON, which must not cost the lines below it.
 */
const isOverLines = (head: Buffer): boolean =>
  /^(?:\xef\xbb\xbf)?[ \t\r\n]*(?:\[|\{[ \t]*(?:[\r\n]|$))/.test(head.toString('latin1'))
