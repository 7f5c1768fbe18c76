import { fromCursor, toCursor } from './cursor.ts'
import type { Queryable } from './database.ts'
import { Parameters } from './filters.ts'

/** One page of a list ordered by `position`, newest first. */
export type PageInput = {
  readonly workspace: string
  /** What the list covers and its filters: a cursor is valid only for the same. */
  readonly filters: object
  readonly limit: number
  readonly cursor: string | null
}

/** Reads a page of rows with a `position`. `write` returns the query of rows below a position, without order and limit. Throws `invalid_cursor`. */
export const readPage = async <Row extends { readonly position: number }>(
  target: Queryable,
  input: PageInput,
  write: (parameters: Parameters, below: string) => string,
): Promise<{ rows: readonly Row[]; nextCursor: string | null }> => {
  const below = input.cursor === null ? Number.MAX_SAFE_INTEGER : fromCursor(input.cursor, input)
  const parameters = new Parameters()
  const query = write(parameters, `${parameters.add(below)}::bigint`)
  const text = `${query} ORDER BY position DESC LIMIT ${parameters.add(input.limit + 1)}::integer`
  const found = await target.query<Row>({ name: '', text }, parameters.values)
  const rows = found.slice(0, input.limit)
  const last = rows.at(-1)
  return { rows, nextCursor: found.length > rows.length && last ? toCursor(last.position, input) : null }
}

/** Counts all rows of such a query, however long that takes. */
export const countRows = async (
  target: Queryable,
  write: (parameters: Parameters, below: string) => string,
): Promise<number> => {
  const parameters = new Parameters()
  const query = write(parameters, `${parameters.add(Number.MAX_SAFE_INTEGER)}::bigint`)
  const text = `SELECT count(*) AS count FROM (${query}) AS list`
  return (await target.query<{ count: number }>({ name: '', text }, parameters.values))[0]!.count
}
