import { keptSubmitAnswer } from '../../model/submit-answer.ts'
import type { SubmitJobs, SubmittedJob } from '../store.ts'
import type { SqlValue } from './database.ts'
import { isKeyHeld } from './exclusive-key.ts'
import { keepAnswer } from './idempotency.ts'
import { SUBMITTED_COLUMNS, type SubmitAnswer, type SubmittedJobRow } from './job-row.ts'
import { countWaiting, WaitingChanges } from './waiting.ts'
import type { Writer } from './writer.ts'

export type SubmitRows = Omit<SubmitJobs, 'jobs'> & { readonly jobs: readonly SubmittedJobRow[] }

/** All or nothing: a job whose id exists makes the whole call fail. Answers with the count of queued jobs when there are too many. */
export const submitJobs = (writer: Writer, { jobs, maxQueued, idempotency }: SubmitRows): SubmitAnswer | number => {
  const waiting = new WaitingChanges()
  for (const [row] of jobs) waiting.add(workspaceOf(row), 1)
  for (const [workspace, added] of waiting.entries()) {
    const queued = countWaiting(writer.db, workspace)
    if (queued + added > maxQueued) return queued
  }
  noteClock(writer)
  const submitted = jobs.map(job => insertJob(writer, job))
  waiting.apply(writer.db)
  if (idempotency) keepAnswer(writer, idempotency.key, keptSubmitAnswer(idempotency.shape, submitted))
  return [writer.now, submitted.flatMap(({ status }, index) => (status === 'pending' ? [index] : []))]
}

const INSERT_JOB = `INSERT INTO job (seq, created_at, ${SUBMITTED_COLUMNS.join(', ')}, scope_set, secrets)
  VALUES (${Array(SUBMITTED_COLUMNS.length + 4)
    .fill('?')
    .join(', ')})`

const INSERT_LIVE = `INSERT INTO live (seq, workspace, kind, status, status_reason, priority, exclusive_key, due_at, queued_at, updated_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const insertJob = (writer: Writer, [row, secrets, scopes, labels]: SubmittedJobRow): SubmittedJob => {
  const { db, now, memory, effects } = writer
  const seq = memory.nextSeq++
  const { id, workspace, kind, priority, workflowId, runId, parentJobId, exclusiveKey, scheduledAt } = fieldsOf(row)
  db.run(INSERT_JOB, seq, now, ...row, scopeSet(writer, scopes), secrets)
  for (const key in labels) db.run('INSERT INTO job_label VALUES (?, ?, ?, ?)', workspace, key, labels[key]!, seq)
  const due = scheduledAt === null || scheduledAt <= now
  const free = exclusiveKey === null || !isKeyHeld(db, workspace, exclusiveKey)
  const status = due && free ? 'queued' : 'pending'
  const reason = !due ? 'scheduled' : !free ? 'exclusive_key' : null
  const queuedAt = status === 'queued' ? now : null
  db.run(
    INSERT_LIVE,
    seq,
    workspace,
    kind,
    status,
    reason,
    priority,
    exclusiveKey,
    due ? null : scheduledAt,
    queuedAt,
    now,
  )
  effects.hint(status)
  effects.event({ id, workspace, kind, runId, workflowId, parentJobId }, status, reason, now)
  return { id, status, createdAt: now }
}

const workspaceOf = (row: readonly SqlValue[]) => row[1] as string

const fieldsOf = (row: readonly SqlValue[]) => ({
  id: row[0] as string,
  workspace: workspaceOf(row),
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
 * Lists bound by creation time search `job` by `seq`, which follows the clock except where that was set back. By how much
 * it ever was is kept, so that they search that much wider.
 */
const noteClock = ({ db, now, memory }: Writer): void => {
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
