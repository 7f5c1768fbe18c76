import { isId } from '../../kernel/ids.ts'
import { sumBeforePurge } from './analytics/summarize.ts'
import { arrayLiteral } from './array-literal.ts'
import { doomBlobs, releaseBlobs } from './blobs.ts'
import type { Queryable, Statement } from './database.ts'
import { jobExists } from './read-job.ts'
import type { Session } from './session.ts'

const LOCK_ENDED: Statement = {
  name: 'lock_ended_job',
  text: 'SELECT id FROM millrace.ended WHERE id = $1 AND workspace = $2 FOR UPDATE',
}

/** `purgeJob`. */
export const purgeJob = async (
  session: Session,
  { workspace, jobId }: { workspace: string; jobId: string },
): Promise<'purged' | 'not_ended' | 'not_found'> => {
  if (!isId(jobId)) return 'not_found'
  const purged = await session.database.transaction(async connection => {
    const ended = await connection.query(LOCK_ENDED, [jobId, workspace])
    if (ended.length > 0) await forget(connection, [jobId])
    return ended.length > 0
  })
  if (purged) return 'purged'
  return (await jobExists(session.database, { workspace, jobId })) ? 'not_ended' : 'not_found'
}

const LOCK_OLD: Statement = {
  name: 'lock_old_jobs',
  text: `
    SELECT id FROM millrace.ended
    WHERE finished_at < $1
    ORDER BY finished_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED`,
}

type Old = { readonly endedBefore: number; readonly limit: number }

/** `purgeEndedJobs`. */
export const purgeEndedJobs = (session: Session, { endedBefore, limit }: Old): Promise<number> =>
  session.database.transaction(async connection => {
    const rows = await connection.query<{ id: string }>(LOCK_OLD, [endedBefore, limit])
    await forget(
      connection,
      rows.map(row => row.id),
    )
    return rows.length
  })

/** Everything but blobs, which are released apart: their rows are shared with other jobs. */
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

/** Last: artifacts refer to their job. */
const FORGET_BODIES: Statement = {
  name: 'forget_job_bodies',
  text: 'DELETE FROM millrace.job WHERE id = ANY ($1::uuid[])',
}

const forget = async (connection: Queryable, jobIds: readonly string[]): Promise<void> => {
  if (jobIds.length === 0) return
  type Row = { sha256: string | null; blob_key: string | null }
  const ids = arrayLiteral(jobIds, id => id)
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

/** `purgeLogs`. */
export const purgeLogs = async (session: Session, { endedBefore, limit }: Old): Promise<number> => {
  const [row] = await session.database.query<{ count: number }>(FORGET_LOGS, [endedBefore, limit])
  return row!.count
}
