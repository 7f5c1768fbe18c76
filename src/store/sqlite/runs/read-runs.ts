import type { Run, RunStatus } from '../../../model/workflow.ts'
import type { RunFilters } from '../../workflow-store.ts'
import { type Counted, countStretch } from '../count-stretch.ts'
import type { Database, SqlValue } from '../database.ts'
import type { Condition } from '../jobs/job-filters.ts'
import { SUBMISSION_SQL } from '../jobs/job-row.ts'
import { newestPage } from '../page.ts'
import type { Reader } from '../reader.ts'
import { findRun } from './run.ts'

/** Ended items come from stored counters, items that hold a slot are counted, and the rest are pending. */
const COLUMNS = `run.seq, run.id, run.workspace, run.workflow_id, run.workflow_version, run.trigger, run.phase, run.paused,
    run.status_reason, run.scheduled_at, run.created_at, run.started_at, run.finished_at, run.max_concurrent, run.items,
    iif(run.finished_at IS NULL, (SELECT count(*) FROM live WHERE live.run = run.seq AND status = 'queued'), 0),
    iif(run.finished_at IS NULL, (SELECT count(*) FROM live WHERE live.run = run.seq AND status IN ('running', 'cancelling')), 0),
    run.completed, run.failed, run.cancelled, run.retry_of`

const RUN_SQL = `SELECT ${COLUMNS}, snapshot.definition FROM run LEFT JOIN snapshot ON snapshot.id = run.snapshot`
/** Omits the snapshots: a page of them could take gigabytes. */
const LISTED_SQL = `SELECT ${COLUMNS}, '' FROM run`

const decode = (row: readonly unknown[]): Run => {
  const [, id, workspace, workflowId, workflowVersion, trigger, phase, paused, statusReason, ...times] = row
  const [scheduledAt, createdAt, startedAt, finishedAt, maxConcurrent, ...counts] = times
  const [items, queued, running, completed, failed, cancelled, retryOf, snapshot] = counts as number[]
  const pending = items! - queued! - running! - completed! - failed! - cancelled!
  return {
    id,
    workspace,
    workflowId,
    workflowVersion,
    trigger,
    status: shownStatus(phase as RunStatus, paused === 1, running! > 0),
    statusReason,
    scheduledAt,
    createdAt,
    startedAt,
    finishedAt,
    maxConcurrent,
    counts: { pending, queued, running, completed, failed, cancelled },
    retryOf,
    snapshot,
  } as unknown as Run
}

const shownStatus = (phase: RunStatus, isPaused: boolean, isRunning: boolean): RunStatus =>
  isPaused ? (isRunning ? 'pausing' : 'paused') : phase

export const readRunRow = (db: Database, seq: number): Run => decode(db.get(`${RUN_SQL} WHERE run.seq = ?`, seq)!)

type Which = { readonly workspace: string; readonly runId: string }

export const getRun = ({ db }: Reader, { workspace, runId }: Which): Run | null => {
  const row = db.get(`${RUN_SQL} WHERE run.id = ? AND run.workspace = ?`, runId, workspace)
  return row ? decode(row) : null
}

type List = {
  readonly workspace: string
  readonly filters: RunFilters
  readonly before: number | null
  readonly limit: number
}

/** Each status has its own index stretch, scanned newest first; takes the newest across all of them. */
export const listRuns = ({ db }: Reader, { workspace, filters, before, limit }: List) => {
  const shared = conditionOf(filters)
  const stretches = filters.status ? [...new Set(filters.status)].map(status => STATUS_SQL[status]) : ['1']
  const rows = stretches.flatMap(status =>
    db.all<[number, ...unknown[]]>(
      `${LISTED_SQL} WHERE run.workspace = ? AND run.seq < ? AND ${status} AND ${shared.sql} ORDER BY run.seq DESC LIMIT ?`,
      workspace,
      before ?? Number.MAX_SAFE_INTEGER,
      ...shared.values,
      limit + 1,
    ),
  )
  const { found, next } = newestPage(rows, limit, ([seq]) => seq)
  return { found: found.map(decode), next }
}

export const countRuns = ({ db }: Reader, { workspace, filters, before }: Omit<List, 'limit'>): Counted => {
  const { sql, values } = conditionOf(filters)
  const status = filters.status ? `(${filters.status.map(one => STATUS_SQL[one]).join(' OR ')})` : '1'
  return countStretch(db, {
    from: 'run',
    position: 'run.seq',
    within: { sql: 'run.workspace = ?', values: [workspace] },
    condition: { sql: `${status} AND ${sql}`, values },
    before,
  })
}

const WORKS = "EXISTS (SELECT 1 FROM live WHERE live.run = run.seq AND live.status IN ('running', 'cancelling'))"

const STATUS_SQL: Readonly<Record<RunStatus, string>> = {
  pending: "run.phase = 'pending' AND run.paused = 0",
  running: "run.phase = 'running' AND run.paused = 0",
  pausing: `run.phase = 'running' AND run.paused = 1 AND ${WORKS}`,
  paused: `run.phase IN ('pending', 'running') AND run.paused = 1 AND NOT ${WORKS}`,
  completed: "run.phase = 'completed'",
  failed: "run.phase = 'failed'",
  terminated: "run.phase = 'terminated'",
}

const conditionOf = ({ workflowId, trigger, createdAfter, createdBefore }: RunFilters): Condition => {
  const parts: string[] = ['1']
  const values: SqlValue[] = []
  const add = (sql: string, value: SqlValue | undefined) => {
    if (value === undefined) return
    parts.push(sql)
    values.push(value)
  }
  add('run.workflow_id = ?', workflowId)
  add('run.trigger = ?', trigger)
  add('run.created_at > ?', createdAfter)
  add('run.created_at < ?', createdBefore)
  return { sql: parts.join(' AND '), values }
}

/** The run, and rows for `decodeSubmission`. */
export const listFailedItems = ({ db }: Reader, { workspace, runId }: Which) => {
  const run = findRun(db, workspace, runId)
  if (!run) return null
  const items = db.all<unknown[]>(
    `SELECT ${SUBMISSION_SQL} FROM job INDEXED BY job_run CROSS JOIN ended ON ended.seq = job.seq
     WHERE job.workspace = ? AND job.run_id = ? AND job.run_id IS NOT NULL AND ended.status = 'failed' ORDER BY job.seq`,
    workspace,
    runId,
  )
  return { run: readRunRow(db, run.seq), items }
}
