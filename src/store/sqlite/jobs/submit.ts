import { keptSubmitAnswer } from '../../../model/submit-answer.ts'
import type { SubmitJobs, SubmittedJob } from '../../store.ts'
import { keepAnswer } from '../idempotency.ts'
import type { Writer } from '../writer.ts'
import { isKeyHeld } from './exclusive-key.ts'
import { fieldsOf, insertJob, noteClock } from './insert-job.ts'
import type { SubmitAnswer, SubmittedJobRow } from './job-row.ts'
import { countWaiting, WaitingChanges } from './waiting.ts'

export type SubmitRows = Omit<SubmitJobs, 'jobs'> & { readonly jobs: readonly SubmittedJobRow[] }

/** All or nothing: a job whose id exists fails the whole call. Returns the number of waiting jobs if there are too many. */
export const submitJobs = (writer: Writer, { jobs, maxQueued, idempotency }: SubmitRows): SubmitAnswer | number => {
  const waiting = new WaitingChanges()
  for (const [row] of jobs) waiting.add(row[1] as string, 1)
  for (const [workspace, added] of waiting.entries()) {
    const queued = countWaiting(writer.db, workspace)
    if (queued + added > maxQueued) return queued
  }
  noteClock(writer)
  const submitted = jobs.map(job => submitJob(writer, job))
  waiting.apply(writer.db)
  if (idempotency) keepAnswer(writer, idempotency.key, keptSubmitAnswer(idempotency, submitted))
  return [writer.now, submitted.flatMap(({ status }, index) => (status === 'pending' ? [index] : []))]
}

const submitJob = (writer: Writer, job: SubmittedJobRow): SubmittedJob => {
  const { db, now } = writer
  const { id, workspace, exclusiveKey, scheduledAt } = fieldsOf(job[0])
  const due = scheduledAt === null || scheduledAt <= now
  const free = exclusiveKey === null || !isKeyHeld(db, workspace, exclusiveKey)
  const pending = !due ? 'scheduled' : !free ? 'exclusive_key' : null
  insertJob(writer, job, { pending, dueAt: due ? null : scheduledAt, run: null })
  return { id, status: pending === null ? 'queued' : 'pending', createdAt: now }
}
