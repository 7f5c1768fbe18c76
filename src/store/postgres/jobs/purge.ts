import { isId } from '../../../kernel/ids.ts'
import type { Store } from '../../store.ts'
import { sumBeforePurge } from '../analytics/summarize.ts'
import { arrayLiteral } from '../array-literal.ts'
import { doomBlobs, releaseBlobs } from '../blobs.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { jobExists } from './read-job.ts'

const LOCK_ENDED: Statement = {
  name: 'lock_ended_job',
  text: 'SELECT id FROM millrace.ended WHERE id = $1 AND workspace = $2 FOR UPDATE',
}

/** Implements `purgeJob`. */
export const purgeJob = async (
  session: Session,
  { workspace, jobId }: { workspace: string; jobId: string },
): ReturnType<Store['purgeJob']> => {
  if (!isId(jobId)) return 'not_found'
  const outcome = await session.database.transaction(async connection => {
    const ended = await connection.query(LOCK_ENDED, [jobId, workspace])
    if (ended.length === 0) return null
    const told = await thoseTold(connection, [jobId])
    await forget(connection, told)
    return told.length > 0 ? 'purged' : 'delivery_pending'
  })
  if (outcome !== null) return outcome
  return (await jobExists(session.database, { workspace, jobId })) ? 'not_ended' : 'not_found'
}

const LOCK_OLD: Statement = {
  name: 'lock_old_jobs',
  text: `
    SELECT id, finished_at FROM millrace.ended
    WHERE finished_at < $1 AND (finished_at, id) > ($2::bigint, $3::uuid)
    ORDER BY finished_at, id
    LIMIT $4
    FOR UPDATE SKIP LOCKED`,
}

type Old = { readonly endedBefore: number; readonly limit: number }

const FIRST = '-1 00000000-0000-0000-0000-000000000000'

/** Implements `purgeEndedJobs`. The cursor is the end time and id of the last job checked. */
export const purgeEndedJobs = (
  session: Session,
  { endedBefore, limit, cursor }: Parameters<Store['purgeEndedJobs']>[0],
): ReturnType<Store['purgeEndedJobs']> =>
  session.database.transaction(async connection => {
    type Row = { readonly id: string; readonly finished_at: number }
    const [time, id] = (cursor ?? FIRST).split(' ')
    const rows = await connection.query<Row>(LOCK_OLD, [endedBefore, Number(time), id, limit])
    const told = await thoseTold(
      connection,
      rows.map(row => row.id),
    )
    await forget(connection, told)
    const last = rows.length < limit ? undefined : rows.at(-1)
    return { purged: told.length, cursor: last ? `${last.finished_at} ${last.id}` : null }
  })

/** Locks settled deliveries so that nobody can resend them; one being resent concurrently is seen by the next statement. */
const LOCK_SETTLED: Statement = {
  name: 'lock_settled_deliveries',
  text: "SELECT FROM millrace.delivery WHERE job_id = ANY ($1::uuid[]) AND status <> 'pending' FOR UPDATE",
}

const FIND_PENDING: Statement = {
  name: 'find_pending_deliveries',
  text: "SELECT DISTINCT job_id FROM millrace.delivery WHERE job_id = ANY ($1::uuid[]) AND status = 'pending'",
}

/** The locked ended jobs that have no pending delivery. */
const thoseTold = async (connection: Queryable, jobIds: readonly string[]): Promise<readonly string[]> => {
  if (jobIds.length === 0) return []
  const ids = arrayLiteral(jobIds, id => id)
  await connection.query(LOCK_SETTLED, [ids])
  const rows = await connection.query<{ job_id: string }>(FIND_PENDING, [ids])
  const pending = new Set(rows.map(row => row.job_id))
  return jobIds.filter(id => !pending.has(id))
}

/** Waits for artifacts that are being added to the jobs, so that the next statement sees them. */
const LOCK_BODIES: Statement = {
  name: 'lock_job_bodies',
  text: 'SELECT FROM millrace.job WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE',
}

/** Everything except blobs, which are released separately: their rows are shared with other jobs. */
const FORGET: Statement = {
  name: 'forget_jobs',
  text: `
    WITH artifact AS (
      DELETE FROM millrace.artifact WHERE job_id = ANY ($1::uuid[]) RETURNING sha256
    ),
    part AS (
      DELETE FROM millrace.log_part WHERE job_id = ANY ($1::uuid[]) RETURNING blob_key
    ),
    result AS (
      DELETE FROM millrace.result WHERE job_id = ANY ($1::uuid[]) RETURNING blob_key
    ),
    delivery AS (DELETE FROM millrace.delivery WHERE job_id = ANY ($1::uuid[])),
    publication AS (DELETE FROM millrace.publication WHERE job_id = ANY ($1::uuid[])),
    attempt AS (DELETE FROM millrace.attempt WHERE job_id = ANY ($1::uuid[])),
    ended AS (DELETE FROM millrace.ended WHERE id = ANY ($1::uuid[])),
    label AS (
      DELETE FROM millrace.job_label
      USING millrace.job, json_each_text(job.labels::json) AS l
      WHERE job.id = ANY ($1::uuid[]) AND job.labels <> '{}' AND job_label.workspace = job.workspace
        AND job_label.key = l.key AND job_label.value = l.value AND job_label.sequence = job.sequence
    )
    SELECT sha256, NULL AS blob_key FROM artifact
    UNION ALL
    SELECT NULL, blob_key FROM part WHERE blob_key IS NOT NULL
    UNION ALL
    SELECT NULL, blob_key FROM result WHERE blob_key IS NOT NULL`,
}

/** Runs last: artifacts reference their job. */
const FORGET_BODIES: Statement = {
  name: 'forget_job_bodies',
  text: 'DELETE FROM millrace.job WHERE id = ANY ($1::uuid[])',
}

const forget = async (connection: Queryable, jobIds: readonly string[]): Promise<void> => {
  if (jobIds.length === 0) return
  type Row = { sha256: string | null; blob_key: string | null }
  const ids = arrayLiteral(jobIds, id => id)
  await connection.query(LOCK_BODIES, [ids])
  await sumBeforePurge(connection, jobIds)
  const left = await connection.query<Row>(FORGET, [ids])
  await connection.query(FORGET_BODIES, [ids])
  await releaseBlobs(
    connection,
    left.flatMap(row => row.sha256 ?? []),
  )
  await doomBlobs(
    connection,
    left.flatMap(row => row.blob_key ?? []),
  )
}

const FORGET_LOGS: Statement = {
  name: 'forget_logs',
  text: `
    WITH old AS (
      SELECT id FROM millrace.ended
      WHERE finished_at < $1 AND has_log AND NOT log_purged
      ORDER BY finished_at
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    ),
    marked AS (UPDATE millrace.ended SET log_purged = true FROM old WHERE ended.id = old.id),
    part AS (DELETE FROM millrace.log_part USING old WHERE log_part.job_id = old.id RETURNING blob_key),
    doomed AS (
      INSERT INTO millrace.doomed_blob (key)
      SELECT blob_key FROM part WHERE blob_key IS NOT NULL
      ON CONFLICT DO NOTHING
    )
    SELECT count(*) AS count FROM old`,
}

/** Implements `purgeLogs`. */
export const purgeLogs = async (session: Session, { endedBefore, limit }: Old): Promise<number> => {
  const [row] = await session.database.query<{ count: number }>(FORGET_LOGS, [endedBefore, limit])
  return row!.count
}
