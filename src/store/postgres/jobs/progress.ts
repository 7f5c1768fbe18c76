import { isId } from '../../../kernel/ids.ts'
import type { Lease, Progress } from '../../../model/job.ts'
import { storable } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { toClaimToken } from './lease-token.ts'
import { jobExists } from './read-job.ts'

const SET_PROGRESS: Statement = {
  name: 'set_progress',
  text: `
    UPDATE millrace.live
    SET progress = $3
    WHERE id = $1 AND workspace = $2 AND status IN ('running', 'cancelling')
      AND ($4::uuid IS NULL OR claim_token = $4 AND attempt = $5::integer)
    RETURNING 1`,
}

/** Implements `setProgress`. */
export const setProgress = async (
  session: Session,
  { workspace, jobId, progress, lease }: { workspace: string; jobId: string; progress: Progress; lease?: Lease },
): Promise<'set' | 'not_running' | 'not_found'> => {
  if (!isId(jobId)) return 'not_found'
  const text = storable(JSON.stringify(progress))
  const values = [jobId, workspace, text, lease ? toClaimToken(lease) : null, lease?.attempt ?? null]
  const set = await session.database.query(SET_PROGRESS, values)
  if (set.length > 0) return 'set'
  return (await jobExists(session.database, { workspace, jobId })) ? 'not_running' : 'not_found'
}
