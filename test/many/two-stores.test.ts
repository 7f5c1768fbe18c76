import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import type { ClaimedJob } from '../../src/model/job.ts'
import { KINDS } from '../../src/model/kind.ts'
import { LEASE_MS } from '../../src/model/lease.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store, StoreSignal } from '../../src/store/store.ts'
import type { WorkflowFire } from '../../src/store/workflow-store.ts'
import { COMPLETE, failure, leaseOf, retryIn, WORKSPACE } from '../conformance/suite/scene.ts'
import { newRun, newWorkflow, nextAt } from '../conformance/suite/workflow-scene.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'

let database: TestDatabase
let stores: readonly Store[]
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.renew()
  stores = await Promise.all(
    ['first', 'second'].map(processName => openPostgresStore({ url: database.url, processName })),
  )
})
afterEach(() => Promise.all(stores.map(store => store.close())))

const first = () => stores[0]!
const eventually = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 40_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition did not come true within 40 s')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const create = async (overrides: Parameters<typeof newWorkflow>[0] = {}) => {
  const workflow = await first().createWorkflow(newWorkflow(overrides))
  if (workflow === 'exists') throw new Error('there is a workflow of that name')
  return workflow
}

const trigger = async (workflow: { id: string }, items: Parameters<typeof newRun>[1], store = first()) => {
  const run = newRun(workflow, items, { trigger: 'manual' })
  const input = { workspace: WORKSPACE, workflowId: workflow.id, version: 1, run, scheduledAt: null, maxQueued: 1e6 }
  expect((await store.triggerWorkflow(input)).type).toBe('triggered')
  return run.id
}

const getRun = async (runId: string) => (await first().getRun({ workspace: WORKSPACE, runId }))!

/** Claims and ends until `isDone`, promoting what is due. */
const work = async (
  store: Store,
  workerId: string,
  { isDone, end = () => COMPLETE }: { isDone: () => boolean; end?: (job: ClaimedJob) => typeof COMPLETE },
): Promise<readonly string[]> => {
  const done: string[] = []
  while (!isDone()) {
    await store.promoteDueJobs({ limit: 100 })
    const jobs = await store.claimJobs({ workerId, kinds: KINDS, limit: 7, leaseMs: LEASE_MS })
    const ends = jobs.map(job => ({ lease: leaseOf(job), end: end(job), log: [] }))
    const halves = [ends.slice(0, 3), ends.slice(3)]
    const results = (await Promise.all(halves.map(half => store.endAttempts(half)))).flat()
    done.push(...results.flatMap(result => (result.applied && result.status !== 'pending' ? [result.jobId] : [])))
    if (jobs.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  }
  return done
}

test('invariant 8: many schedulers on one database fire each slot once', async () => {
  const start = await first().now()
  const workflows = await Promise.all(Array.from({ length: 12 }, () => create({ timing: nextAt(start - 10_000) })))
  const made: string[] = []
  const schedule = async (store: Store) => {
    for (;;) {
      const { due } = await store.listDueWorkflows({ limit: 5 })
      if (due.length === 0) return
      const fires = due.map((workflow): WorkflowFire => {
        const slot = workflow.timing.next!.slot
        const next = slot + 1000 <= start ? { slot: slot + 1000, fireAt: slot + 1000 } : null
        return {
          workspace: WORKSPACE,
          workflowId: workflow.id,
          version: workflow.version,
          cursor: workflow.timing.cursor,
          skipped: [],
          slot,
          run: newRun(workflow, 1),
          overlap: 'allow',
          timing: { cursor: slot, next },
          maxQueued: 1_000_000,
        }
      })
      for (const result of await store.fireWorkflows(fires)) if (result.type === 'fired') made.push(result.runId)
    }
  }
  await Promise.all([...stores, ...stores].map(schedule))
  expect(made).toHaveLength(12 * 11)
  for (const workflow of workflows) {
    const page = await first().listSlots({ workspace: WORKSPACE, workflow: workflow.id, limit: 100, cursor: null })
    expect(page!.slots.map(slot => slot.outcome)).toEqual(Array(11).fill('fired'))
  }
  expect(await first().countJobs({ workspace: WORKSPACE, filters: {} })).toBe(12 * 11)
})

test('runs worked off by two servers keep their limit, end once and count once', async () => {
  await first().setNotificationPreference({ workspace: WORKSPACE, preference: 'all' })
  const workflow = await create()
  const runs = await Promise.all(Array.from({ length: 6 }, (_, index) => trigger(workflow, 40, stores[index % 2]!)))
  const ended: string[] = []
  first().onSignal((signal: StoreSignal) => {
    if (signal.type !== 'run_events') return
    for (const event of signal.events)
      if (event.status === 'failed' || event.status === 'completed') ended.push(event.runId)
  })
  let watching = true
  const watch = async () => {
    while (watching) {
      const rows = await database.query(
        `SELECT item_of, count(*)::integer AS held FROM millrace.live WHERE status <> 'pending' GROUP BY item_of`,
      )
      for (const { held } of rows) expect(held).toBeLessThanOrEqual(5)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  const watcher = watch()
  let done = 0
  const isDone = () => done >= 240
  const count = (job: ClaimedJob) => {
    if (job.attempt === 1 && job.id.endsWith('0')) return retryIn(0)
    done++
    return job.runId === runs[0] ? failure() : COMPLETE
  }
  const finished = await Promise.all(
    stores.flatMap((store, index) => [
      work(store, `a${index}`, { isDone, end: count }),
      work(store, `b${index}`, { isDone, end: count }),
    ]),
  )
  watching = false
  await watcher
  expect(new Set(finished.flat()).size).toBe(240)
  for (const [index, runId] of runs.entries())
    expect(await getRun(runId)).toMatchObject({
      status: index === 0 ? 'failed' : 'completed',
      counts: { pending: 0, queued: 0, running: 0, [index === 0 ? 'failed' : 'completed']: 40 },
    })
  const found = await first().getWorkflow({ workspace: WORKSPACE, workflow: workflow.id })
  expect(found!.consecutiveFailures).toBeLessThanOrEqual(1)
  // Events of the other process may be missed, but none is sent twice.
  expect(new Set(ended).size).toBe(ended.length)
  const page = { workspace: WORKSPACE, unreadOnly: true, limit: 10, cursor: null }
  expect((await first().listNotifications(page)).notifications).toMatchObject([{ type: 'run.failed', runId: runs[0] }])
})

test('concurrent ends, cancels, pauses, terminations and fires neither deadlock nor leave anything behind', async () => {
  const workflows = await Promise.all([create(), create({ maxConsecutiveFailures: 3 })])
  const keyed = Array.from({ length: 12 }, (_, index) => (index % 3 === 0 ? { exclusiveKey: `key-${index % 2}` } : {}))
  const runs: string[] = []
  for (let round = 0; round < 8; round++) runs.push(await trigger(workflows[round % 2]!, keyed, stores[round % 2]!))
  let disturbing = true
  const open = async () => {
    const page = await first().listRuns({
      workspace: WORKSPACE,
      filters: { status: ['pending', 'running', 'pausing', 'paused'] },
      limit: 100,
      cursor: null,
    })
    return page.runs
  }
  let over = false
  const workers = stores.map((store, index) =>
    work(store, `w${index}`, {
      isDone: () => over,
      end: job => (job.attempt === 1 && job.priority === 0 && job.id.endsWith('1') ? retryIn(1) : COMPLETE),
    }),
  )
  const disturb = async (store: Store, seed: number) => {
    for (let step = seed; disturbing; step += 7) {
      const run = { workspace: WORKSPACE, runId: runs[step % runs.length]! }
      const key = { workspace: WORKSPACE, workflow: workflows[step % 2]!.id }
      if (step % 5 === 0) await store.pauseRun(run).then(() => store.resumeRun(run))
      if (step % 5 === 1) await store.pauseWorkflow(key)
      if (step % 5 === 2) await store.resumeWorkflow({ ...key, timing: { cursor: 0, next: null } })
      if (step % 5 === 3) await cancelOne(store, run.runId)
      if (step % 11 === 4) await store.terminateRun({ ...run, graceMs: null })
      if (step > 350) disturbing = false
    }
  }
  await Promise.all([disturb(stores[0]!, 1), disturb(stores[1]!, 3), disturb(stores[1]!, 4)])
  for (const workflow of workflows)
    await first().resumeWorkflow({ workspace: WORKSPACE, workflow: workflow.id, timing: { cursor: 0, next: null } })
  for (const run of await open()) await first().resumeRun({ workspace: WORKSPACE, runId: run.id })
  await eventually(async () => (await open()).length === 0)
  over = true
  await Promise.all(workers)
  expect(await database.query('SELECT id, status, status_reason FROM millrace.live')).toEqual([])
  for (const runId of runs) {
    const { counts } = await getRun(runId)
    expect(counts.completed + counts.failed + counts.cancelled).toBe(12)
  }
})

const cancelOne = async (store: Store, runId: string): Promise<void> => {
  const filters = { runId, status: ['pending', 'queued', 'running'] as const }
  const { jobs } = await store.listJobs({ workspace: WORKSPACE, filters, limit: 1, cursor: null })
  const job = jobs[0]
  if (job) await store.cancelJob({ workspace: WORKSPACE, jobId: job.id, reason: 'cancelled_by_user', graceMs: null })
}

test('each end of a job makes one delivery, which one server claims', async () => {
  const workflow = await create()
  await trigger(
    workflow,
    Array.from({ length: 60 }, () => ({ sinks: [{ index: 0, onFailure: true }] })),
  )
  let claimed = 0
  const seen: string[] = []
  const deliver = async (store: Store) => {
    while (claimed < 60) {
      const outcome = await store.claimDeliveries({ limit: 4, leaseMs: 60_000 })
      claimed += outcome.claimed.length
      seen.push(...outcome.claimed.map(({ job }) => job.id))
      await store.endDeliveries(
        outcome.claimed.map(({ delivery, claimToken }) => ({
          deliveryId: delivery.id,
          claimToken,
          lastStatus: 200,
          lastError: null,
          outcome: { type: 'delivered' as const },
        })),
      )
      if (outcome.claimed.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  let ended = 0
  const end = () => {
    ended++
    return COMPLETE
  }
  const isDone = () => ended >= 60
  await Promise.all([
    ...stores.map((store, index) => work(store, `w${index}`, { isDone, end })),
    ...stores.map(deliver),
  ])
  expect(seen).toHaveLength(60)
  expect(new Set(seen).size).toBe(60)
})

test('figures summarized by two servers while jobs end count each job once', async () => {
  const workflow = await create()
  await trigger(workflow, 300)
  let ended = 0
  const isDone = () => ended >= 300
  const end = () => {
    ended++
    return COMPLETE
  }
  const summarize = async (store: Store) => {
    while (!isDone()) {
      await store.summarize({ limit: 50 })
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
  await Promise.all([
    ...stores.map((store, index) => work(store, `w${index}`, { isDone, end })),
    ...stores.map(summarize),
  ])
  const read = async () => {
    const now = await first().now()
    const sums = await first().readAnalytics({ workspace: WORKSPACE, from: now - 7_200_000, to: now + 3_600_000 })
    return sums.reduce((sum, hour) => sum + hour.completed, 0)
  }
  expect(await read()).toBe(300)
  await eventually(async () => (await first().summarize({ limit: 1000 })) === 0 && (await summed()) === 300)
  expect(await read()).toBe(300)
})

const summed = async (): Promise<number> => {
  const [row] = await database.query(
    `SELECT coalesce(sum(amount), 0)::integer AS amount FROM millrace.hour_sum WHERE measure = 'completed'`,
  )
  return Number(row!.amount)
}

test('changes of workflows on one server are signalled to the other', async () => {
  const heard: StoreSignal[] = []
  stores[1]!.onSignal(signal => heard.push(signal))
  const hears = (type: StoreSignal['type']) => eventually(() => heard.some(signal => signal.type === type))
  const workflow = await create({ timing: nextAt(Date.now() + 60_000), maxConsecutiveFailures: 1 })
  await hears('schedule')
  const runId = await trigger(workflow, [{ id: newId(), sinks: [{ index: 0, onFailure: true }] }])
  await hears('run_events')
  const [job] = await stores[1]!.claimJobs({ workerId: 'w', kinds: KINDS, limit: 1, leaseMs: LEASE_MS })
  heard.length = 0
  await first().endAttempts([{ lease: leaseOf(job!), end: failure(), log: [] }])
  await hears('delivery')
  await hears('notification')
  await eventually(() =>
    heard.some(signal => signal.type === 'run_events' && signal.events.some(event => event.runId === runId)),
  )
})
