import { ImportFailure } from '../import-failure.ts'
import { RowLines } from './row-lines.ts'

/** More than the names and types of any table's columns. */
export const META_BYTES = 1024 * 1024

/** Whether content begins like the result of a query in the format JSON of ClickHouse and Tinybird: `{"meta": […], "data": […], "rows": 1, …}`. */
export const beginsWithMeta = (head: Buffer): boolean =>
  /^(?:\xef\xbb\xbf)?[ \t\r\n]*\{[ \t\r\n]*"meta"[ \t\r\n]*:/.test(head.toString('latin1'))

const BEFORE_ROWS = /\]([ \t\r\n]*,[ \t\r\n]*"data"[ \t\r\n]*:[ \t\r\n]*)\[[ \t\r\n]*(?:[{\]]|$)/

/** Where the array of rows of such a result begins; null: it is something else. */
export const startOfRows = (head: Buffer): number | null => {
  if (!beginsWithMeta(head)) return null
  const text = head.toString('latin1')
  const found = BEFORE_ROWS.exec(text)
  if (found === null) return null
  const end = found.index + 1
  return isMeta(`${text.slice(text.indexOf('{'), end)}}`) ? end + found[1]!.length : null
}

const isMeta = (text: string): boolean => {
  try {
    const { meta, ...others } = JSON.parse(text)
    return Object.keys(others).length === 0 && Array.isArray(meta) && meta.every(isColumn)
  } catch {
    return false
  }
}

const isColumn = (column: unknown): boolean =>
  typeof column === 'object' && column !== null && Object.keys(column).sort().join() === 'name,type'

/** What follows the rows: their number, statistics, totals. */
const MOST_BEHIND_BYTES = 1024 * 1024

/** The rows of a result as lines. Throws `ImportFailure` `content_unreadable` if it has no end, or its query failed before the last row. */
export async function* resultRows(content: AsyncIterable<Uint8Array>, start: number): AsyncGenerator<Uint8Array> {
  const behind: Buffer[] = []
  const lines = new RowLines(behind)
  let left = start
  for await (const chunk of content) {
    const bytes = Buffer.from(chunk).subarray(left)
    left = Math.max(0, left - chunk.length)
    yield lines.take(bytes)
    if (behind.reduce((size, part) => size + part.length, 0) > MOST_BEHIND_BYTES) throw notOneResult()
  }
  lines.end()
  const exception = exceptionIn(Buffer.concat(behind).toString('utf8'))
  if (exception !== undefined)
    throw new ImportFailure(
      'content_unreadable',
      `The query that the content is the result of failed, so rows are missing: ${String(exception).slice(0, 300)}`,
    )
}

/** ClickHouse ends a result with it when a row cannot be computed. */
const exceptionIn = (behind: string): unknown => {
  try {
    return JSON.parse(`{"data":[]${behind}`).exception
  } catch {
    throw notOneResult()
  }
}

const notOneResult = (): ImportFailure =>
  new ImportFailure(
    'content_unreadable',
    'The query result has no end, or something follows it: the content must be one result (meta, data, rows, …).',
  )
