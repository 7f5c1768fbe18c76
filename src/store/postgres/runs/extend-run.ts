import { isId } from '../../../kernel/ids.ts'
import type { Store } from '../../store.ts'
import type { Statement } from '../database.ts'
import { jobExists } from '../jobs/read-job.ts'
import { scopeSetOf } from '../jobs/submit.ts'
import { withLocks } from '../locks.ts'
import type { Session } from '../session.ts'
import { toKeptItems } from './join-extensions.ts'

type ExtendRun = Parameters<Store['extendRun']>[0]
type WhichAttempt = { readonly workspace: string; readonly jobId: string; readonly attempt: number }

const FIND_ATTEMPT: Statement = {
  name: 'find_attempt_to_extend',
  text: `
    SELECT live.item_of
    FROM millrace.live
    WHERE id = $1 AND workspace = $2 AND attempt = $3 AND status IN ('running', 'cancelling')`,
}

const COUNT_ITEMS: Statement = {
  name: 'count_items',
  text: `
    SELECT run.items + coalesce(
      (SELECT sum(extension.count) FROM millrace.extension WHERE extension.run_id = run.id), 0)::integer AS items
    FROM millrace.run
    WHERE run.id = $1`,
}

/** Updates the job's row, which the job's end reads, so that the end is ordered before or after this. */
const MARK: Statement = {
  name: 'mark_extended',
  text: `
    UPDATE millrace.live
    SET extended_attempt = attempt
    WHERE id = $1 AND attempt = $2 AND status IN ('running', 'cancelling')
    RETURNING 1`,
}

const KEEP: Statement = {
  name: 'keep_extension',
  text: 'INSERT INTO millrace.extension (job_id, attempt, run_id, items, count) VALUES ($1, $2, $3, $4, $5)',
}

/** Implements `extendRun`. */
export const extendRun = async (session: Session, input: ExtendRun): ReturnType<Store['extendRun']> => {
  const { workspace, jobId, attempt, items, maxItems } = input
  const runId = await findRun(session, input)
  if (runId === 'not_found' || runId === 'not_running') return runId
  if (runId === null) return 'not_in_run'
  await session.scopeSets.keep(items)
  return withLocks(session, { runs: [runId] }, async ({ connection }) => {
    const [counted] = await connection.query<{ items: number }>(COUNT_ITEMS, [runId])
    if (!counted) return 'not_in_run'
    const total = counted.items + items.length
    if (total > maxItems) return { type: 'too_many', items: total }
    const marked = await connection.query(MARK, [jobId, attempt])
    if (marked.length === 0) return 'not_running'
    const kept = toKeptItems(
      items.map(item => ({ ...item, workspace })),
      scopeSetOf(session),
    )
    await connection.query(KEEP, [jobId, attempt, runId, kept, items.length])
    return 'kept'
  })
}

const findRun = async (
  session: Session,
  { workspace, jobId, attempt }: WhichAttempt,
): Promise<string | null | 'not_found' | 'not_running'> => {
  if (!isId(jobId)) return 'not_found'
  const [row] = await session.database.query<{ item_of: string | null }>(FIND_ATTEMPT, [jobId, workspace, attempt])
  if (row) return row.item_of
  return (await jobExists(session.database, { workspace, jobId })) ? 'not_running' : 'not_found'
}

const RESTART: Statement = {
  name: 'restart_timeout',
  text: `
    UPDATE millrace.live
    SET restarted_at = millrace.clock($1::bigint), restarted_attempt = attempt
    WHERE id = $2 AND workspace = $3 AND attempt = $4 AND status IN ('running', 'cancelling')
    RETURNING 1`,
}

/** Implements `restartTimeout`. */
export const restartTimeout = async (
  session: Session,
  { workspace, jobId, attempt }: WhichAttempt,
): ReturnType<Store['restartTimeout']> => {
  if (!isId(jobId)) return 'not_found'
  const restarted = await session.database.query(RESTART, [session.now(), jobId, workspace, attempt])
  if (restarted.length > 0) return 'restarted'
  return (await jobExists(session.database, { workspace, jobId })) ? 'not_running' : 'not_found'
}

const FIND_RESTART: Statement = {
  name: 'find_timeout_restart',
  text: `
    SELECT greatest(0, millrace.clock($1::bigint) - restarted_at) AS ago
    FROM millrace.live
    WHERE id = $2 AND attempt = $3 AND restarted_attempt = $3 AND restarted_at IS NOT NULL`,
}

/** Implements `findTimeoutRestart`. If the clock was set back it gives 0: the attempt gets its full time again. */
export const findTimeoutRestart = async (
  session: Session,
  { jobId, attempt }: { jobId: string; attempt: number },
): Promise<number | null> => {
  if (!isId(jobId)) return null
  const [row] = await session.database.query<{ ago: number }>(FIND_RESTART, [session.now(), jobId, attempt])
  return row?.ago ?? null
}
