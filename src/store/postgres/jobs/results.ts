import { isId } from '../../../kernel/ids.ts'
import type { ResultFormat } from '../../../model/job.ts'
import type { Store, StoredResult } from '../../store.ts'
import type { Statement } from '../database.ts'
import type { Session } from '../session.ts'

const GET: Statement = {
  name: 'get_result',
  text: `
    SELECT e.status, e.finished_at, r.format, r.bytes, r.sha256, r.expires_at AS "expiresAt", r.blob_key, r.data,
      r.expires_at <= millrace.clock($1::bigint) AS is_over
    FROM millrace.job AS j
    LEFT JOIN millrace.ended AS e ON e.id = j.id
    LEFT JOIN millrace.result AS r ON r.job_id = j.id
    WHERE j.id = $2 AND j.workspace = $3`,
}

type ResultRow = {
  readonly status: string | null
  readonly finished_at: number
  readonly format: ResultFormat | null
  readonly bytes: number
  readonly sha256: string
  readonly expiresAt: number | null
  readonly blob_key: string | null
  readonly data: Uint8Array | null
  readonly is_over: boolean | null
}

/** Implements `getResult`. */
export const getResult = async (
  session: Session,
  { workspace, jobId }: { workspace: string; jobId: string },
): ReturnType<Store['getResult']> => {
  if (!isId(jobId)) return 'not_found'
  const [row] = await session.database.query<ResultRow>(GET, [session.now(), jobId, workspace])
  if (!row) return 'not_found'
  if (row.status === null) return 'not_finished'
  if (row.format === null) return 'none'
  const content = contentOf(row)
  if (row.is_over || content === null) return 'expired'
  const { format, bytes, sha256, expiresAt } = row
  return { format, bytes, sha256, storedAt: row.finished_at, expiresAt, content }
}

const contentOf = ({ blob_key, data }: ResultRow): StoredResult['content'] | null => {
  if (blob_key !== null) return { blobKey: blob_key }
  return data === null ? null : { data }
}

const PURGE: Statement = {
  name: 'purge_results',
  text: `
    WITH old AS MATERIALIZED (
      SELECT job_id, blob_key FROM millrace.result
      WHERE expires_at IS NOT NULL AND (blob_key IS NOT NULL OR data IS NOT NULL)
        AND expires_at <= (SELECT millrace.clock($1::bigint))
      ORDER BY expires_at
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    ),
    doomed AS (
      INSERT INTO millrace.doomed_blob (key) SELECT blob_key FROM old WHERE blob_key IS NOT NULL
      ON CONFLICT DO NOTHING
    )
    UPDATE millrace.result
    SET data = NULL, blob_key = NULL
    WHERE job_id = ANY (ARRAY(SELECT job_id FROM old))
    RETURNING 1`,
}

/** Implements `purgeResults`. */
export const purgeResults = async (session: Session, { limit }: { limit: number }): Promise<number> =>
  (await session.database.query(PURGE, [session.now(), limit])).length
