import { expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import type { ClaimedJob, JobEvent } from '../../src/model/job.ts'
import type { JobStatus } from '../../src/model/job-status.ts'
import type { Run, RunEvent, RunStatus, Slot, Workflow } from '../../src/model/workflow.ts'
import { slotFaults } from './check.ts'
import { createModel } from './model.ts'

const jobId = newId()
const [runId, workflowId] = [newId(), newId()]

const claim = (attempt: number) => [{ id: jobId, attempt }] as unknown as ClaimedJob[]
const moved = (status: JobStatus) => ({ jobId, status }) as JobEvent
const ranTo = (status: RunStatus) => ({ runId, status }) as RunEvent

test('finds two live attempts of a job, and an end by an attempt that has lost its lease', () => {
  const model = createModel()
  model.claimed(claim(1))
  model.claimed(claim(2))
  expect(model.faults[0]).toMatch(/was claimed as attempt 2 while 1 lived/)
  const end = [{ lease: { jobId, attempt: 1, leaseToken: 't' } }] as unknown as Parameters<typeof model.ended>[0]
  model.ended(end, [{ jobId, applied: true, status: 'completed' }])
  expect(model.faults[1]).toMatch(/attempt 1 .* was ended, but 2 lived/)
})

test('finds a transition that is not in the table, and one out of an ended status', () => {
  const model = createModel()
  for (const status of ['pending', 'running', 'completed', 'queued'] as const) model.jobMoved(moved(status))
  expect(model.faults).toEqual([
    expect.stringMatching(/from pending to running/),
    expect.stringMatching(/from completed to queued/),
    expect.stringMatching(/had ended as completed and became queued/),
  ])
})

test('finds a run that changes after its end, and a wrong count of failures', () => {
  const model = createModel()
  model.workflows.set(workflowId, { state: 'active', failures: 0, max: 2 })
  model.runs.set(runId, { workflowId, counts: true, overlap: 'skip', hasStarted: false, status: null })
  model.runMoved(ranTo('failed'))
  model.compare({ id: workflowId, name: 'w', state: 'active', consecutiveFailures: 1 } as Workflow)
  expect(model.faults).toEqual([])
  model.compare({ id: workflowId, name: 'w', state: 'active', consecutiveFailures: 2 } as Workflow)
  model.runMoved(ranTo('running'))
  expect(model.faults).toHaveLength(2)
})

test('finds a run that starts beside an open one under cancel_previous, and allows it otherwise', () => {
  for (const [overlap, faults] of [
    ['cancel_previous', 1],
    ['allow', 0],
    [null, 0],
  ] as const) {
    const model = createModel()
    model.workflows.set(workflowId, { state: 'active', failures: 0, max: null })
    const run = { workflowId, counts: true, hasStarted: false, status: null }
    for (const id of ['old', 'new']) model.runs.set(id, { ...run, overlap })
    for (const id of ['old', 'new']) model.runMoved({ ...ranTo('running'), runId: id })
    expect(model.faults).toHaveLength(faults)
  }
})

test('finds a slot that ran twice, and one that was not recorded', () => {
  const slot = (at: number, run: string): Slot => ({
    slot: at,
    lastSlot: at,
    count: 1,
    outcome: 'fired',
    reason: null,
    runId: run,
    recordedAt: at,
  })
  const run = (id: string, scheduledAt: number) =>
    ({ id, scheduledAt, trigger: 'automatic', statusReason: null, startedAt: scheduledAt }) as Run
  const schedule = { missedSlots: () => ({ count: 2 }) } as unknown as NonNullable<
    Parameters<typeof slotFaults>[2][number]['schedule']
  >
  const stretches = [{ schedule, from: 0, to: 2 }]
  expect(slotFaults([slot(1, 'a'), slot(2, 'b')], [run('a', 1), run('b', 2)], stretches)).toEqual([])
  expect(slotFaults([slot(1, 'a'), slot(2, 'b')], [run('a', 1), run('b', 2), run('c', 2)], stretches)).toHaveLength(3)
  expect(slotFaults([slot(1, 'a')], [run('a', 1)], stretches)).toEqual(['1 slots are recorded, 2 have been'])
})
