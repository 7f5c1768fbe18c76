import type { PendingReason } from '../../../model/job-status.ts'
import type { SqlValue } from '../database.ts'
import type { Writer } from '../writer.ts'
import { SUBMITTED_COLUMNS, type SubmittedJobRow } from './job-row.ts'

/** Initial state of a new job. */
type Beginning = {
  /** null: queued at once. */
  readonly pending: PendingReason | null
  /** For a job that waits for a time. */
  readonly dueAt: number | null
  /** Position of the run that the job is an item of. */
  readonly run: number | null
}

const INSERT_JOB = `INSERT INTO job (seq, created_at, ${SUBMITTED_COLUMNS.join(', ')}, scope_set, secrets, sinks)
  VALUES (${Array(SUBMITTED_COLUMNS.length + 5)
    .fill('?')
    .join(', ')})`

const INSERT_LIVE = `INSERT INTO live (seq, workspace, kind, status, status_reason, priority, exclusive_key, due_at, queued_at, updated_at, run)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Inserts a job with its initial state and emits its event. The caller updates the workspace's count of waiting jobs. */
export const insertJob = (
  writer: Writer,
  [row, secrets, scopes, labels, sinks]: SubmittedJobRow,
  { pending, dueAt, run }: Beginning,
): void => {
  const { db, now, memory, effects } = writer
  const seq = memory.nextSeq++
  const { id, workspace, kind, priority, workflowId, runId, parentJobId, exclusiveKey } = fieldsOf(row)
  db.run(INSERT_JOB, seq, now, ...row, scopeSet(writer, scopes), secrets, sinks)
  for (const key in labels) db.run('INSERT INTO job_label VALUES (?, ?, ?, ?)', workspace, key, labels[key]!, seq)
  const status = pending === null ? 'queued' : 'pending'
  const queuedAt = pending === null ? now : null
  db.run(INSERT_LIVE, seq, workspace, kind, status, pending, priority, exclusiveKey, dueAt, queuedAt, now, run)
  effects.hint(status)
  effects.event({ id, workspace, kind, runId, workflowId, parentJobId }, status, pending, now)
}

/** The columns of `SUBMITTED_COLUMNS` that the store itself uses. */
export const fieldsOf = (row: readonly SqlValue[]) => ({
  id: row[0] as string,
  workspace: row[1] as string,
  kind: row[2] as string,
  priority: row[5] as number,
  workflowId: row[7] as string | null,
  runId: row[8] as string | null,
  parentJobId: row[9] as string | null,
  exclusiveKey: row[11] as string | null,
  scheduledAt: row[12] as number | null,
})

const scopeSet = ({ db, memory }: Writer, scopes: string): number => {
  const known = memory.scopeSets.get(scopes)
  if (known !== undefined) return known
  db.run('INSERT INTO scope_set (scopes) VALUES (?) ON CONFLICT DO NOTHING', scopes)
  const [id] = db.get<[number]>('SELECT id FROM scope_set WHERE scopes = ?', scopes)!
  memory.scopeSets.set(scopes, id)
  return id
}

/**
 * Lists bounded by creation time search `job` by `seq`, which follows the clock unless that was set back. Records the largest regression ever, by
 * which they widen the search. Called once per call that creates jobs.
 */
export const noteClock = ({ db, now, memory }: Writer): void => {
  if (now >= memory.latestCreatedAt) {
    memory.latestCreatedAt = now
    return
  }
  const regression = memory.latestCreatedAt - now
  db.run(
    `INSERT INTO setting (name, value) VALUES ('clock_regression_ms', ?)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER)`,
    String(regression),
  )
}
