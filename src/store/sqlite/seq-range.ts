import type { JobFilters } from '../store.ts'
import type { Database } from './database.ts'

/** Positions from `from` (inclusive) to `to` (exclusive). */
export type SeqRange = { readonly from: number; readonly to: number }

/**
 * The positions where jobs with these creation times can be. Positions follow the clock unless it was set back: the largest regression is stored and
 * widens the search. So the range may contain a few jobs too many, but never misses one.
 */
export const seqRange = (db: Database, filters: JobFilters, before: number | null): SeqRange => {
  const { createdAfter, createdBefore } = filters
  const margin = createdAfter === undefined && createdBefore === undefined ? 0 : clockRegression(db)
  const [last] = db.get<[number | null]>('SELECT max(seq) FROM job')!
  const end = Math.min((last ?? 0) + 1, before ?? Number.MAX_SAFE_INTEGER)
  return {
    from: createdAfter === undefined ? 0 : firstCreatedAt(db, createdAfter - margin, end),
    to: createdBefore === undefined ? end : firstCreatedAt(db, createdBefore + margin, end),
  }
}

const clockRegression = (db: Database): number =>
  db.get<[number]>("SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'clock_regression_ms'")?.[0] ?? 0

/**
 * A position such that no job before it was created at or after `time + margin`, and no job from it on at or before `time - margin`. Found by
 * bisection; if the clock was never set back, it is simply the first job created at `time` or later.
 */
const firstCreatedAt = (db: Database, time: number, end: number): number => {
  let low = 0
  let high = end
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [seq, createdAt] = db.get<[number, number]>(
      'SELECT seq, created_at FROM job WHERE seq >= ? ORDER BY seq LIMIT 1',
      middle,
    ) ?? [end, time]
    if (seq >= high || createdAt >= time) high = middle
    else low = seq + 1
  }
  return low
}
