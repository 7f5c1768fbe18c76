import { expect, test } from 'vitest'
import type { JobEvent } from '../../model/job.ts'
import type { RunEvent } from '../../model/workflow.ts'
import type { StoreSignal } from '../store.ts'
import { Signals } from './signals.ts'

const job = (jobId: string, status: JobEvent['status']): JobEvent => ({
  jobId,
  workspace: 'default',
  kind: 'command',
  runId: null,
  workflowId: null,
  parentJobId: null,
  status,
  statusReason: null,
  timestamp: 0,
})
const run = (runId: string, status: RunEvent['status']): RunEvent => ({
  runId,
  workflowId: 'w',
  workspace: 'default',
  status,
  statusReason: null,
  timestamp: 0,
})

test('late news of another process about a job or run that has ended here is dropped', () => {
  const signals = new Signals(() => {})
  const told: string[] = []
  signals.on((signal: StoreSignal) => {
    if (signal.type === 'events') told.push(...signal.events.map(event => `${event.jobId} ${event.status}`))
    if (signal.type === 'run_events') told.push(...signal.events.map(event => `${event.runId} ${event.status}`))
  })
  signals.changed({ events: [job('a', 'running')] })
  signals.changed({ events: [job('a', 'completed')], runEvents: [run('r', 'completed')] })
  signals.heard({ events: [job('a', 'queued'), job('b', 'queued')], runEvents: [run('r', 'running')] })
  signals.heard({ events: [job('b', 'running'), job('b', 'failed')] })
  signals.heard({ events: [job('b', 'cancelling')] })
  expect(told).toEqual(['a running', 'a completed', 'r completed', 'b queued', 'b running', 'b failed'])
})
