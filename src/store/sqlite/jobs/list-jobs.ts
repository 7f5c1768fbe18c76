import { MOST_LISTED_BYTES, rowsWithin } from '../../listed-bytes.ts'
import type { JobFilters } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import { type SeqRange, seqRange } from '../seq-range.ts'
import { type Condition, conditionOf } from './job-filters.ts'
import { JOB_SQL } from './job-row.ts'
import { chooseSource, newestOf, type Source } from './job-sources.ts'

/**
 * Lists of a million jobs in a few milliseconds, whatever the filters: the shortest index gives positions, newest first;
 * the other filters are checked on the jobs there. How many are looked at is bounded, so a page may be short, even
 * empty, and still say where the next one begins.
 */
type Search = {
  readonly workspace: string
  readonly filters: JobFilters
  /** Only jobs older than this position. */
  readonly before: number | null
  readonly limit: number
}
type Row = readonly unknown[]
/** `next` is the position that the next search goes on before; null: there is nothing more. */
type Found<T> = { readonly found: readonly T[]; readonly next: number | null }

/** Positions that one search looks at; on a slow machine or a cold disk it ends earlier, after that many milliseconds. */
const MAX_LOOKED_AT = 4000
const MAX_SEARCH_MS = 7
const LARGEST_STEP = 500
const MAX_COUNTED = 20_000

/** Rows as `decodeJob` reads them. */
export const listJobs = ({ db }: Reader, search: Search): Found<Row> => {
  return inOneSnapshot(db, () => {
    // Sizes stand before the texts: none is read that is not given.
    const { found, next } = collect(db, search, 'job.seq, octet_length(job.spec)')
    const sizes = found.map(([, bytes]) => bytes as number)
    const seqs = found.slice(0, rowsWithin(MOST_LISTED_BYTES, sizes)).map(([seq]) => seq as number)
    return { found: readJobs(db, seqs), next: seqs.length < found.length ? seqs.at(-1)! : next }
  })
}

/** The jobs at these positions, in their order: rows as `decodeJob` reads them. */
export const readJobs = (db: Database, seqs: readonly number[]): Row[] =>
  matching(db, EVERY, JOB_SQL, seqs, seqs.length)

const EVERY: Condition = { sql: '1', values: [] }

/** Positions of jobs that match. */
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
/** With what a job that matches shows beside. */
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

/** Counts a stretch; the caller goes on at `next`, so that other reads come in between. */
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

/** Jobs move from one table to the other while a list is read: it sees one moment. */
export const inOneSnapshot = <T>(db: Database, read: () => T): T => {
  db.run('BEGIN')
  try {
    return read()
  } finally {
    db.run('COMMIT')
  }
}
