import type { Database } from './database.ts'
import type { Condition } from './jobs/job-filters.ts'

/** Maximum number of rows per query, so that other reads can run in between, however long the list. */
const MAX_COUNTED = 20_000

export type Counted = { readonly count: number; readonly next: number | null }

/** A list to scan: `within` bounds it by an index, `condition` is checked row by row. */
export type CountedList = {
  readonly from: string
  readonly position: string
  readonly within: Condition
  readonly condition: Condition
  /** Only rows older than this position. */
  readonly before: number | null
}

/** Counts a stretch of a list, newest first; the caller continues at `next`. */
export const countStretch = (db: Database, { from, position, within, condition, before }: CountedList): Counted => {
  const [count, lookedAt, oldest] = db.get<[number, number, number]>(
    `SELECT count(*) FILTER (WHERE matches), count(*), min(position) FROM (
       SELECT ${position} AS position, ${condition.sql} AS matches FROM ${from}
       WHERE ${within.sql} AND ${position} < ? ORDER BY ${position} DESC LIMIT ${MAX_COUNTED}
     )`,
    ...condition.values,
    ...within.values,
    before ?? Number.MAX_SAFE_INTEGER,
  )!
  return { count, next: lookedAt < MAX_COUNTED ? null : oldest }
}
