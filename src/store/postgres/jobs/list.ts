import type { Job } from '../../../model/job.ts'
import { JOB_STATUSES, type JobStatus } from '../../../model/job-status.ts'
import { MOST_LISTED_BYTES } from '../../listed-bytes.ts'
import type { JobFilters } from '../../store.ts'
import { fromCursor, toCursor } from '../cursor.ts'
import type { Queryable } from '../database.ts'
import { jobConditions, Parameters } from '../filters.ts'
import { chooseScan, type Scan, type ScanInput } from '../scan.ts'
import { JOB_COLUMNS, JOB_TABLES, type JobRow, toJob } from './job-rows.ts'

/** Most candidates read at a time, and the ms after which the search stops: a page may be short and still have a next one. */
const LARGEST_CHUNK = 500
const LONGEST_MS = 8

/** Implements `listJobs`. */
export const listJobs = async (
  target: Queryable,
  { cursor, ...input }: { workspace: string; filters: JobFilters; limit: number; cursor: string | null },
): Promise<{ jobs: readonly Job[]; nextCursor: string | null }> => {
  const below = cursor === null ? null : fromCursor(cursor, input)
  const page = await scanPage(target, { ...input, below })
  return { jobs: page.rows.map(toJob), nextCursor: page.below === null ? null : toCursor(page.below, input) }
}

export type PageInput = ScanInput & { readonly limit: number; readonly below: number | null }
type Page = {
  readonly rows: readonly JobRow[]
  /** The next page begins below this sequence; null: this is the last page. */
  readonly below: number | null
}

/** The next matching jobs below a sequence. Reads chunks, a small one first, until there are enough. */
export const scanPage = async (target: Queryable, input: PageInput): Promise<Page> => {
  const startedAt = performance.now()
  const scan = await chooseScan(target, input)
  const rows: ListedRow[] = []
  let below = input.below
  let bytes = 0
  let size = Math.min(2 * input.limit + 1, LARGEST_CHUNK)
  do {
    const chunk = await readChunk(target, scan, {
      ...input,
      below,
      limit: input.limit - rows.length,
      bytes: MOST_LISTED_BYTES - bytes,
      size,
    })
    rows.push(...chunk.rows)
    bytes += chunk.rows.at(-1)?.through ?? 0
    if (bytes > MOST_LISTED_BYTES) return { rows, below: rows.at(-1)!.sequence }
    if (rows.length === input.limit && chunk.hasMore) return { rows, below: rows.at(-1)!.sequence }
    if (chunk.lowest === null || chunk.scanned < size) return { rows, below: null }
    below = chunk.lowest
    size = LARGEST_CHUNK
  } while (performance.now() - startedAt < LONGEST_MS)
  return { rows, below }
}

/** `through`: total bytes of the specs up to and including this one. */
type ListedRow = JobRow & { readonly sequence: number; readonly through: number }
type ChunkRow = ListedRow & { readonly scanned: number; readonly lowest: number | null }
type Chunk = {
  readonly rows: readonly ListedRow[]
  readonly scanned: number
  readonly lowest: number | null
  /** There are more candidates, or more jobs already found, after the last of `rows`. */
  readonly hasMore: boolean
}

/** Compares sequences too, so that conditions on them are checked before the job is looked up. */
const CANDIDATES = {
  jobs: 'scan AS j',
  ids: 'scan AS c JOIN millrace.job AS j ON j.id = c.id AND j.sequence = c.sequence',
} as const

const readChunk = async (
  target: Queryable,
  scan: Scan,
  { workspace, filters, below, limit, bytes, size }: PageInput & { readonly bytes: number; readonly size: number },
): Promise<Chunk> => {
  const parameters = new Parameters()
  const range = {
    below: `${parameters.add(below ?? Number.MAX_SAFE_INTEGER)}::bigint`,
    limit: `${parameters.add(size)}::integer`,
  }
  const candidates = scan.write(parameters, range)
  const conditions = [
    `j.workspace = ${parameters.add(workspace)}`,
    ...jobConditions(filters, parameters),
    ...(filters.status ? [statusCondition(filters.status, parameters)] : []),
  ]
  const text = `
    WITH scan AS MATERIALIZED (${candidates}),
    bound AS (SELECT count(*) AS scanned, min(sequence) AS lowest FROM scan)
    SELECT *
    FROM bound
    LEFT JOIN (
      SELECT ${JOB_COLUMNS}, j.sequence, sum(octet_length(j.spec)) OVER (ORDER BY j.sequence DESC)::bigint AS through
      FROM ${CANDIDATES[scan.finds]}
      ${JOB_TABLES}
      WHERE ${conditions.join(' AND ')}
      ORDER BY j.sequence DESC
      LIMIT ${parameters.add(limit)}
    ) AS found ON through - octet_length(spec) <= ${parameters.add(bytes)}::bigint
    ORDER BY found.sequence DESC`
  const found = await target.query<ChunkRow>({ name: '', text }, parameters.values)
  const { scanned, lowest } = found[0]!
  const rows = found.filter(row => row.id !== null)
  return { rows, scanned, lowest, hasMore: scanned === size || (rows.at(-1)?.sequence ?? 0) > (lowest ?? 0) }
}

/** Queries only the tables that can hold these statuses: each is a lookup per candidate. */
const statusCondition = (statuses: readonly JobStatus[], parameters: Parameters): string => {
  const values = `${parameters.add(statuses)}::text[]`
  const tables = [...new Set(statuses.map(status => JOB_STATUSES[status].table))]
  const found = tables.map(
    table => `EXISTS (SELECT FROM millrace.${table} AS s WHERE s.id = j.id AND s.status = ANY (${values}))`,
  )
  return `(${found.join(' OR ') || 'false'})`
}
