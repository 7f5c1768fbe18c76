import { MOST_LISTED_BYTES, rowsWithin } from '../../listed-bytes.ts'
import type { Database } from '../database.ts'
import { inOneSnapshot, readJobs } from '../jobs/list-jobs.ts'
import type { Reader } from '../reader.ts'

type Changed = {
  readonly workspace: string
  readonly after: { readonly updatedAt: number; readonly id: string } | null
  readonly limit: number
}

type ChangedRow = [at: number, id: string, seq: number, bytes: number]

const changedSql = (from: string, at: string) => `SELECT ${at}, job.id, job.seq, octet_length(job.spec)
  FROM ${from} CROSS JOIN job USING (seq)
  WHERE ${at} >= ?1 AND ${from.split(' ')[0]}.workspace = ?2 AND (${at} > ?1 OR job.id > ?3)
  ORDER BY ${at}, job.id LIMIT ?4`

const ENDED_SQL = changedSql('ended INDEXED BY ended_finished', 'ended.finished_at')
/** Scans all live jobs: an index on a column that changes with every step of a job would cost every step more. */
const LIVE_SQL = changedSql('live', 'live.updated_at')

/** Rows as `decodeJob` reads them. */
export const listChangedJobs = ({ db }: Reader, changed: Changed): readonly (readonly unknown[])[] =>
  inOneSnapshot(db, () => readJobs(db, findChanged(db, changed)))

const findChanged = (db: Database, { workspace, after, limit }: Changed): number[] => {
  const values = [after?.updatedAt ?? 0, workspace, after?.id ?? '', limit] as const
  const found = [ENDED_SQL, LIVE_SQL]
    .flatMap(sql => db.all<ChangedRow>(sql, ...values))
    .sort(([at, id], [otherAt, otherId]) => at - otherAt || (id < otherId ? -1 : 1))
    .slice(0, limit)
  const sizes = found.map(([, , , bytes]) => bytes)
  return found.slice(0, rowsWithin(MOST_LISTED_BYTES, sizes)).map(([, , seq]) => seq)
}
