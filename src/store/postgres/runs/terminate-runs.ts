import type { RunReason } from '../../../model/workflow.ts'
import type { Statement } from '../database.ts'
import type { Work } from '../locks.ts'
import { cancelLocked } from './cancel-locked.ts'
import { tellRuns } from './tell-runs.ts'

export type Termination = {
  readonly reason: Extract<RunReason, 'terminated_by_user' | 'workflow_terminated' | 'replaced'>
  /** null: each item's own grace period. */
  readonly graceMs: number | null
}

const FIND_OPEN: Statement = {
  name: 'find_runs_to_terminate',
  text: `
    SELECT run.id
    FROM millrace.run
    WHERE run.workflow_id = ANY ($1::text[]) AND run.phase IN ('pending', 'running') AND run.end_reason IS NULL`,
}

/** Requires the locks of the workflows. Terminates all their open runs, including those that have not started. */
export const terminateRuns = async (
  work: Work,
  { workflows, ...termination }: { workflows: readonly string[] } & Termination,
): Promise<void> => {
  const open = await work.connection.query<{ id: string }>(FIND_OPEN, [workflows])
  const runs = open.map(run => run.id)
  work.locks.need({ runs })
  await beginTermination(work, runs, termination)
}

const TERMINATE: Statement = {
  name: 'terminate_runs',
  text: `
    UPDATE millrace.run
    SET end_reason = $2, status_reason = 'terminating', paused = false, due_at = NULL
    WHERE id = ANY ($1::text[]) AND phase IN ('pending', 'running') AND end_reason IS NULL
    RETURNING id`,
}

const FIND_ITEMS: Statement = {
  name: 'find_items_to_terminate',
  text: `
    SELECT id, workspace, exclusive_key FROM millrace.live
    WHERE item_of = ANY ($1::text[]) AND status = 'pending'
    UNION ALL
    SELECT id, workspace, exclusive_key FROM millrace.live
    WHERE item_of = ANY ($1::text[]) AND status IN ('queued', 'running', 'cancelling') AND status <> 'cancelling'`,
}

const FIND_LEFT: Statement = {
  name: 'find_terminated_runs_with_items',
  text: `
    SELECT DISTINCT item_of FROM millrace.live
    WHERE item_of = ANY ($1::text[]) AND status IN ('queued', 'running', 'cancelling')`,
}

/**
 * Requires the locks of the runs. Cancels waiting items and asks running ones to stop; a run ends with its last item. Returns the runs that were not
 * being terminated before. The caller settles.
 */
export const beginTermination = async (
  work: Work,
  runIds: readonly string[],
  { reason, graceMs }: Termination,
): Promise<readonly string[]> => {
  const terminated = await work.connection.query<{ id: string }>(TERMINATE, [runIds, reason])
  if (terminated.length === 0) return []
  const ids = terminated.map(run => run.id)
  type Item = { id: string; workspace: string; exclusive_key: string | null }
  const items = await work.connection.query<Item>(FIND_ITEMS, [ids])
  const keys = items.flatMap(({ workspace, exclusive_key }) =>
    exclusive_key === null ? [] : [{ workspace, exclusiveKey: exclusive_key }],
  )
  work.locks.need({ keys })
  await cancelLocked(work, { ids: items.map(item => item.id), reason: 'run_terminated', graceMs })
  for (const id of ids) work.touched.runs.note(id)
  work.touched.freed(keys)
  // A run with nothing left is reported only once, as ended.
  const left = await work.connection.query<{ item_of: string }>(FIND_LEFT, [ids])
  await tellRuns(
    work,
    left.map(row => row.item_of),
  )
  return ids
}
