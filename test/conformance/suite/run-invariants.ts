import { expect } from 'vitest'
import type { Job } from '../../../src/model/job.ts'
import type { JobStatus } from '../../../src/model/job-status.ts'
import type { Run } from '../../../src/model/workflow.ts'

const HOLDING: readonly JobStatus[] = ['queued', 'running', 'cancelling']

const count = (items: readonly Job[], ...statuses: readonly JobStatus[]): number =>
  items.filter(item => statuses.includes(item.status)).length

/**
 * What must be true of a run and all its items at any moment (`workflow-store.ts`). `published`: ids of jobs that have
 * committed a publication, which a run that is paused or terminated lets go on.
 */
export const checkRun = (run: Run, items: readonly Job[], published: ReadonlySet<string> = new Set()): void => {
  const slots = count(items, ...HOLDING)
  const about = `run ${run.status} ${run.statusReason}: ${items.map(item => `${item.status}/${item.statusReason}`)}`
  expect(slots, about).toBeLessThanOrEqual(run.maxConcurrent)
  expect(run.counts, about).toEqual({
    pending: count(items, 'pending'),
    queued: count(items, 'queued'),
    running: count(items, 'running', 'cancelling'),
    completed: count(items, 'completed'),
    failed: count(items, 'failed'),
    cancelled: count(items, 'cancelled'),
  })
  const live = slots + count(items, 'pending')
  expect(run.finishedAt === null, `ends exactly when its last item has; ${about}`).toBe(live > 0)
  const waiting = items.filter(item => item.statusReason === 'run_concurrency')
  if (run.status !== 'running') expect(waiting, about).toEqual([])
  else if (slots < run.maxConcurrent) expect(waiting, `a slot stays free; ${about}`).toEqual([])
  const stoppable = items.filter(item => !published.has(item.id))
  const held = items.filter(item => item.statusReason === 'run_paused')
  if (run.status === 'pausing' || run.status === 'paused') expect(count(stoppable, 'queued'), about).toBe(0)
  else expect(held, about).toEqual([])
  if (run.statusReason === 'terminating') expect(count(stoppable, 'pending', 'queued', 'running'), about).toBe(0)
  if (run.status === 'paused') expect(count(items, 'running', 'cancelling'), about).toBe(0)
  if (run.status === 'pausing') expect(count(items, 'running', 'cancelling'), about).toBeGreaterThan(0)
  if (run.finishedAt !== null) checkOutcome(run, about)
  for (const item of items)
    if (published.has(item.id)) expect(['queued', 'running', 'cancelling', 'completed'], about).toContain(item.status)
}

const checkOutcome = ({ status, statusReason, counts }: Run, about: string): void => {
  const byItems = counts.failed > 0 ? 'failed' : counts.completed > 0 ? 'completed' : 'terminated'
  const wasTerminated = ['terminated_by_user', 'workflow_terminated', 'replaced'].includes(String(statusReason))
  expect(status, about).toBe(wasTerminated ? 'terminated' : byItems)
}

/** One holder per key, and no job waits for a free key. */
export const checkWaitingForKeys = (jobs: readonly Job[]): void => {
  const held = jobs.filter(job => HOLDING.includes(job.status)).flatMap(job => job.exclusiveKey ?? [])
  expect(new Set(held).size).toBe(held.length)
  for (const job of jobs)
    if (job.statusReason === 'exclusive_key')
      expect(held, `job waits for ${job.exclusiveKey}`).toContain(job.exclusiveKey)
}

/** For an active workflow: a run waits for others only while one of them is open. */
export const checkWaitingRuns = (runs: readonly Run[]): void => {
  const working = runs.filter(run => run.startedAt !== null && run.finishedAt === null)
  const waiting = runs.filter(run => run.status === 'pending' && run.statusReason === 'waiting_for_run')
  expect(waiting.length).toBeLessThanOrEqual(working.length === 0 ? 0 : 1)
}
