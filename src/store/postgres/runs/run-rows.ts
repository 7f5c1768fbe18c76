import type { Run, RunReason, RunStatus } from '../../../model/workflow.ts'

/** The displayed status of `run`. */
export const STATUS_COLUMN = `
      CASE
        WHEN NOT run.paused OR run.phase NOT IN ('pending', 'running') THEN run.phase
        WHEN EXISTS (
          SELECT FROM millrace.live
          WHERE live.item_of = run.id AND live.status IN ('queued', 'running', 'cancelling') AND live.status <> 'queued'
        ) THEN 'pausing'
        ELSE 'paused'
      END`

/** Columns of a run for display, from `run`. Its live items are counted; ended ones are summed in its row. */
export const RUN_COLUMNS = `
      run.position, run.id, run.workspace, run.workflow_id, run.workflow_version, run.trigger, ${STATUS_COLUMN} AS status,
      run.status_reason, run.scheduled_at, run.created_at, run.started_at, run.finished_at, run.max_concurrent,
      run.items - run.completed - run.failed - run.cancelled AS items_left, run.completed, run.failed, run.cancelled,
      run.retry_of, held.queued, held.running`

export const RUN_TABLES = `
    millrace.run
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE live.status = 'queued')::integer AS queued,
        count(*) FILTER (WHERE live.status <> 'queued')::integer AS running
      FROM millrace.live
      WHERE live.item_of = run.id AND live.status IN ('queued', 'running', 'cancelling')
        AND run.phase IN ('pending', 'running')
    ) AS held`

/** The definition a run was made from. */
export const SNAPSHOT_TABLE =
  'LEFT JOIN millrace.snapshot ON snapshot.workflow_id = run.workflow_id AND snapshot.hash = run.snapshot_hash'

export type RunRow = {
  readonly position: number
  readonly id: string
  readonly workspace: string
  readonly workflow_id: string
  readonly workflow_version: number
  readonly trigger: Run['trigger']
  readonly status: RunStatus
  readonly status_reason: RunReason | null
  readonly scheduled_at: number | null
  readonly created_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly max_concurrent: number
  readonly items_left: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly queued: number
  readonly running: number
  readonly retry_of: string | null
  readonly snapshot: string
}

export const toRun = (row: RunRow): Run => ({
  id: row.id,
  workspace: row.workspace,
  workflowId: row.workflow_id,
  workflowVersion: row.workflow_version,
  trigger: row.trigger,
  status: row.status,
  statusReason: row.status_reason,
  scheduledAt: row.scheduled_at,
  createdAt: row.created_at,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  maxConcurrent: row.max_concurrent,
  counts: {
    pending: Math.max(0, row.items_left - row.queued - row.running),
    queued: row.queued,
    running: row.running,
    completed: row.completed,
    failed: row.failed,
    cancelled: row.cancelled,
  },
  retryOf: row.retry_of,
  snapshot: row.snapshot,
})
