import { fromCursor, toCursor } from './cursor.ts'
import type { Queryable } from './database.ts'
import { Parameters } from './filters.ts'

/** One page of a list that goes by `position`, newest first. */
export type PageInput = {
  readonly workspace: string
  /** What the list is of and what is filtered by: a cursor is good for the same only. */
  readonly filters: object
  readonly limit: number
  readonly cursor: string | null
}

/**
 * Reads a page of rows that have `position`. `write` gives the query, without order and limit, of what lies below a
 * position. Throws `invalid_cursor`.
 */
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

/** How many rows such a query has in all: as long as it takes. */
export const countRows = async (
  target: Queryable,
  write: (parameters: Parameters, below: string) => string,
): Promise<number> => {
  const parameters = new Parameters()
  const query = write(parameters, `${parameters.add(Number.MAX_SAFE_INTEGER)}::bigint`)
  const text = `SELECT count(*) AS count FROM (${query}) AS list`
  return (await target.query<{ count: number }>({ name: '', text }, parameters.values))[0]!.count
}
