import { isId } from '../../../kernel/ids.ts'
import type { Lease } from '../../../model/job.ts'
import type { LogPart } from '../../../model/log-line.ts'
import type { LogIndex } from '../../store.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { toClaimToken } from './lease-token.ts'
import { logColumns, logInput, ON_SAME_LINES } from './log-columns.ts'

/** Delete before insert, because the new part may start where an old one did: the insert enforces this by reading the delete's count. */
const ADD_PARTS: Statement = {
  name: 'add_log_parts',
  text: `
    WITH held AS (
      UPDATE millrace.live
      SET next_log_seq = greatest(next_log_seq, $4::bigint)
      WHERE id = $1 AND attempt = $2 AND claim_token = $3 AND status IN ('running', 'cancelling')
      RETURNING id
    ),
    dropped AS (
      DELETE FROM millrace.log_part
      USING held
      WHERE log_part.job_id = held.id AND log_part.data IS NOT NULL AND log_part.first_seq >= $5::bigint
      RETURNING 1
    ),
    added AS (
      INSERT INTO millrace.log_part (job_id, first_seq, last_seq, attempt, first_at, last_at, bytes, data, blob_key)
      SELECT p.job_id, p.first_seq, p.last_seq, p.attempt, p.first_at, p.last_at, p.bytes, p.data, p.blob_key
      FROM ${logInput(6)} AS p
      JOIN held ON held.id = p.job_id
      WHERE (SELECT count(*) FROM dropped) >= 0
      ${ON_SAME_LINES}
    )
    SELECT id FROM held`,
}

/** Implements `addLogParts`. */
export const addLogParts = async (
  session: Session,
  { lease, parts, replacesFrom }: { lease: Lease; parts: readonly LogPart[]; replacesFrom?: number },
): Promise<{ applied: boolean }> => {
  const { jobId, attempt } = lease
  if (!isId(jobId)) return { applied: false }
  const nextSeq = Math.max(1, ...parts.map(part => part.lastSeq + 1))
  const columns = logColumns(parts.map(part => ({ ...part, jobId })))
  const values = [jobId, attempt, toClaimToken(lease), nextSeq, replacesFrom ?? null, ...columns]
  const applied = (await session.database.query(ADD_PARTS, values)).length > 0
  if (applied) session.signals.changed({ logOf: jobId })
  return { applied }
}

/** The job's state and the parts, in one snapshot: sealing a tail never shows as a gap. */
const LIST_PARTS: Statement = {
  name: 'list_log_parts',
  text: `
    SELECT coalesce(l.status, e.status) AS status, coalesce(l.attempt, e.attempt) AS job_attempt,
      coalesce(e.log_purged, false) AS purged, p.*
    FROM millrace.job AS j
    LEFT JOIN millrace.live AS l ON l.id = j.id
    LEFT JOIN millrace.ended AS e ON e.id = j.id
    LEFT JOIN LATERAL (
      SELECT first_seq, last_seq, attempt, first_at, last_at, bytes, data, blob_key
      FROM millrace.log_part
      WHERE job_id = j.id AND first_seq >= coalesce((
        SELECT first_seq FROM millrace.log_part
        WHERE job_id = j.id AND first_seq <= $3
        ORDER BY first_seq DESC LIMIT 1
      ), 0) AND last_seq >= $3
      ORDER BY first_seq
      LIMIT $4
    ) AS p ON true
    WHERE j.id = $1 AND j.workspace = $2
    ORDER BY p.first_seq`,
}

type PartRow = {
  readonly status: LogIndex['status']
  readonly job_attempt: number
  readonly purged: boolean
  readonly first_seq: number | null
  readonly last_seq: number
  readonly attempt: number
  readonly first_at: number
  readonly last_at: number
  readonly bytes: number
  readonly data: Uint8Array | null
  readonly blob_key: string | null
}

/** Implements `listLogParts`. */
export const listLogParts = async (
  target: Queryable,
  { workspace, jobId, fromSeq, limit }: { workspace: string; jobId: string; fromSeq: number; limit: number },
): Promise<LogIndex | null> => {
  if (!isId(jobId)) return null
  const rows = await target.query<PartRow>(LIST_PARTS, [jobId, workspace, fromSeq, limit])
  const [first] = rows
  if (!first) return null
  const parts = rows.flatMap(row => (row.first_seq === null ? [] : [toPart(row, row.first_seq)]))
  return { status: first.status, attempt: first.job_attempt, parts, purged: first.purged }
}

const toPart = (row: PartRow, firstSeq: number): LogPart => ({
  firstSeq,
  lastSeq: row.last_seq,
  attempt: row.attempt,
  firstAt: row.first_at,
  lastAt: row.last_at,
  bytes: row.bytes,
  data: row.data,
  blobKey: row.blob_key,
})
