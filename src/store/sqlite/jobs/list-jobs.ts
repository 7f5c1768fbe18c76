import { MOST_LISTED_BYTES, rowsWithin } from '../../listed-bytes.ts'
import type { JobFilters } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import { type SeqRange, seqRange } from '../seq-range.ts'
import { type Condition, conditionOf } from './job-filters.ts'
import { JOB_SQL } from './job-row.ts'
import { chooseSource, newestOf, type Source } from './job-sources.ts'

/**
 * Lists a million jobs in a few milliseconds, whatever the filters: the shortest index yields positions, newest first, and the other filters are
 * checked on those jobs. The number checked is bounded, so a page may be short, even empty, and still have a next one.
 */
type Search = {
  readonly workspace: string
  readonly filters: JobFilters
  /** Only jobs older than this position. */
  readonly before: number | null
  readonly limit: number
}
type Row = readonly unknown[]
/** `next`: the next search continues before this position; null: there is nothing more. */
type Found<T> = { readonly found: readonly T[]; readonly next: number | null }

/** Positions checked per search. On a slow machine or a cold disk the search stops earlier, after MAX_SEARCH_MS. */
const MAX_LOOKED_AT = 4000
const MAX_SEARCH_MS = 7
const LARGEST_STEP = 500
const MAX_COUNTED = 20_000

/** Rows for `decodeJob`. */
export const listJobs = ({ db }: Reader, search: Search): Found<Row> => {
  return inOneSnapshot(db, () => {
    // SQLite stores the size in front of the text, so only returned texts are read.
    const { found, next } = collect(db, search, 'job.seq, octet_length(job.spec)')
    const sizes = found.map(([, bytes]) => bytes as number)
    const seqs = found.slice(0, rowsWithin(MOST_LISTED_BYTES, sizes)).map(([seq]) => seq as number)
    return { found: readJobs(db, seqs), next: seqs.length < found.length ? seqs.at(-1)! : next }
  })
}

/** The jobs at these positions, in that order, as rows for `decodeJob`. */
export const readJobs = (db: Database, seqs: readonly number[]): Row[] =>
  matching(db, EVERY, JOB_SQL, seqs, seqs.length)

const EVERY: Condition = { sql: '1', values: [] }

/** Positions of matching jobs. */
export const findJobs = ({ db }: Reader, search: Search): Found<number> => {
  const { found, next } = inOneSnapshot(db, () => collect(db, search, 'job.seq'))
  return { found: found.map(([seq]) => seq as number), next }
}

const collect = (db: Database, search: Search, columns: string): Found<Row> => {
  const { workspace, filters, before, limit } = search
  const range = seqRange(db, filters, before)
  const source = chooseSource(db, workspace, filters, range)
  const condition = conditionOf(workspace, filters)
  const found: Row[] = []
  let to = range.to
  const deadline = performance.now() + MAX_SEARCH_MS
  for (let lookedAt = 0, step = limit + 1; lookedAt < MAX_LOOKED_AT; step = Math.min(step * 3, LARGEST_STEP)) {
    const seqs = newestOf(db, source, { from: range.from, to }, step)
    found.push(...matching(db, condition, columns, seqs, limit + 1 - found.length))
    if (found.length > limit) return { found: found.slice(0, limit), next: found[limit - 1]![0] as number }
    if (seqs.length < step) return { found, next: null }
    lookedAt += seqs.length
    to = seqs.at(-1)!
    if (performance.now() > deadline) break
  }
  return { found, next: to }
}

const JOINED =
  'json_each(?) AS at CROSS JOIN job ON job.seq = at.value LEFT JOIN live USING (seq) LEFT JOIN ended USING (seq)'
/** Adds what is shown with a matching job. */
const SHOWN = `${JOINED} LEFT JOIN result USING (seq)`

const matching = (
  db: Database,
  { sql, values }: Condition,
  columns: string,
  seqs: readonly number[],
  limit: number,
): Row[] =>
  db.all<Row>(
    `SELECT ${columns} FROM ${SHOWN} WHERE ${sql} ORDER BY at.key LIMIT ?`,
    JSON.stringify(seqs),
    ...values,
    limit,
  )

type Counted = { readonly count: number; readonly next: number | null }

/** Counts a stretch; the caller continues at `next`, so that other reads can run in between. */
export const countJobs = ({ db }: Reader, { workspace, filters, before }: Omit<Search, 'limit'>): Counted =>
  inOneSnapshot(db, () => {
    const range = seqRange(db, filters, before)
    if (isWholeWorkspace(filters)) return { count: countWorkspace(db, workspace), next: null }
    return countStretch(db, workspace, filters, range, chooseSource(db, workspace, filters, range))
  })

const countStretch = (
  db: Database,
  workspace: string,
  filters: JobFilters,
  range: SeqRange,
  source: Source,
): Counted => {
  const { sql, values } = conditionOf(workspace, filters)
  const seqs = newestOf(db, source, range, MAX_COUNTED)
  const [count] = db.get<[number]>(`SELECT count(*) FROM ${JOINED} WHERE ${sql}`, JSON.stringify(seqs), ...values)!
  return { count, next: seqs.length < MAX_COUNTED ? null : seqs.at(-1)! }
}

const isWholeWorkspace = (filters: JobFilters): boolean => Object.values(filters).every(value => value === undefined)

const countWorkspace = (db: Database, workspace: string): number =>
  db.get<[number]>('SELECT count(*) FROM job INDEXED BY job_kind WHERE workspace = ?', workspace)![0]

/** Jobs move between the tables while a list is read, so it needs one snapshot. */
export const inOneSnapshot = <T>(db: Database, read: () => T): T => {
  db.run('BEGIN')
  try {
    return read()
  } finally {
    db.run('COMMIT')
  }
}
