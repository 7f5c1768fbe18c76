import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newJob, Scene } from '../../../../test/conformance/suite/scene.ts'
import { newRun, WorkflowScene } from '../../../../test/conformance/suite/workflow-scene.ts'
import { VirtualClock } from '../../../../test/conformance/virtual-clock.ts'
import { openSqliteStore } from '../sqlite-store.ts'

const HOUR = 3_600_000

let directory: string
let scene: Scene
const steps = new WorkflowScene(() => scene)
const open = async () => {
  const clock = new VirtualClock(Date.UTC(2026, 10, 21, 12))
  const store = await openSqliteStore({ path: join(directory, 'millrace.db'), clock })
  scene = new Scene(clock, { store, isShared: false, close: () => store.close(), reopen: async () => store })
}
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-workflows-'))
})
afterEach(async () => {
  await scene.close()
  await rm(directory, { recursive: true })
})

test('a database of the first version is migrated with its jobs', async () => {
  const database = new DatabaseSync(join(directory, 'millrace.db'))
  database.exec(readFileSync(new URL('../migrations/0001-initial.sql', import.meta.url), 'utf8'))
  database.exec(`PRAGMA user_version = 1; INSERT INTO scope_set VALUES (1, '[]')`)
  const insert = `INSERT INTO job (seq, id, workspace, kind, queue, trigger, created_at, priority, restartable, scope_set, spec)
    VALUES (?, ?, 'default', 'command', 'default', 'manual', 1, 0, 1, 1, '{"command":"true"}')`
  for (const [seq, id] of [
    [1, 'queued'],
    [2, 'completed'],
  ] as const)
    database.prepare(insert).run(seq, id)
  database.exec(`INSERT INTO live (seq, workspace, kind, status, priority, queued_at, updated_at)
    VALUES (1, 'default', 'command', 'queued', 0, 1, 1)`)
  database.exec(`INSERT INTO ended (seq, workspace, status, log, finished_at, attempt, user_failures, system_failures)
    VALUES (2, 'default', 'completed', 'none', 1, 1, 0, 0)`)
  database.exec("UPDATE workspace SET waiting = 1 WHERE id = 'default'")
  database.close()
  await open()
  expect(await scene.job('completed')).toMatchObject({ status: 'completed', result: null })
  const job = await scene.claimOne()
  expect(job.id).toBe('queued')
  expect((await scene.end(job)).applied).toBe(true)
  const runId = await steps.start(await steps.create(), 2)
  await steps.workOff()
  expect(await steps.run(runId)).toMatchObject({ status: 'completed' })
})

/** Turns a database of this version into one of the second. */
const TO_SECOND_VERSION = `
  DROP TABLE catalogue; DROP TABLE catalogue_entry; DROP TABLE table_lock; DROP TABLE publication;
  DROP INDEX job_data_source; DROP INDEX job_pipe;
  ALTER TABLE job DROP COLUMN data_source; ALTER TABLE job DROP COLUMN pipe;
  ALTER TABLE live DROP COLUMN published;
  ALTER TABLE attempt DROP COLUMN statistics;
  ALTER TABLE run DROP COLUMN outcome_counts;
  ALTER TABLE artifact DROP COLUMN attempt;
  UPDATE extension SET job = json_remove(job, '$[0][20]', '$[0][19]');
  PRAGMA user_version = 2`

test('items that wait to join a run join it after a migration', async () => {
  await open()
  const runId = await steps.start(await steps.create(), 1)
  const item = await scene.claimOne()
  const items = [newJob({ runId, workflowId: item.workflowId, secrets: Uint8Array.of(7), scopes: ['jobs:write'] })]
  const which = { workspace: 'default', jobId: item.id, attempt: item.attempt }
  expect(await scene.store.extendRun({ ...which, items, maxItems: 10 })).toBe('kept')
  await scene.close()
  const database = new DatabaseSync(join(directory, 'millrace.db'))
  database.exec(TO_SECOND_VERSION)
  database.close()
  await open()
  await scene.end(item)
  const joined = await scene.store.getSubmission({ workspace: 'default', jobId: items[0]!.id })
  expect({ ...joined, secrets: [...joined!.secrets!] }).toEqual({ ...items[0], secrets: [7] })
  await steps.workOff()
  expect(await steps.run(runId)).toMatchObject({ status: 'completed', counts: { completed: 2 } })
})

test('a fire that the tables refuse is recorded as invalid and does not stop others', async () => {
  await open()
  const slot = scene.clock.now()
  const taken = await scene.submitOne()
  const workflows = [await steps.createDue(), await steps.createDue(), await steps.createDue()]
  const fires = await Promise.all(workflows.map(workflow => steps.fireOf(workflow, slot)))
  const refused = newRun(workflows[1]!, [{}, { id: taken.id }])
  const results = await scene.store.fireWorkflows(
    fires.map((fire, index) => (index === 1 ? { ...fire, run: refused } : fire)),
  )
  expect(results.map(result => result.type)).toEqual(['fired', 'skipped', 'fired'])
  expect(await steps.slots(workflows[1]!)).toMatchObject([{ slot, outcome: 'skipped', reason: 'invalid' }])
  expect(await scene.store.getRun({ workspace: 'default', runId: refused.id })).toBeNull()
  expect((await scene.store.listDueWorkflows({ limit: 10 })).due).toEqual([])
  expect(await scene.claim()).toHaveLength(3)
  const waiting = await scene.store.submitJobs({ jobs: [newJob()], maxQueued: 0 })
  expect(waiting).toEqual({ type: 'too_many_queued', queued: 0 })
})

test('jobs that end before the summarized time, because the clock was set back, are counted once', async () => {
  await open()
  const read = async () => {
    const now = scene.clock.now()
    const sums = await scene.store.readAnalytics({ workspace: 'default', from: now - 9 * HOUR, to: now + 9 * HOUR })
    return sums.reduce((sum, { completed }) => sum + completed, 0)
  }
  await scene.finished()
  scene.clock.advance(1000)
  expect(await scene.store.summarize({ limit: 10 })).toBe(1)
  scene.clock.advance(-2 * HOUR)
  const late = await scene.finished()
  const jobs = [newJob(), newJob(), newJob(), newJob(), newJob()]
  await scene.submit(jobs)
  const claimed = await scene.claim()
  await scene.store.endAttempts(
    claimed.map(({ id, attempt, leaseToken }) => ({
      lease: { jobId: id, attempt, leaseToken },
      end: { type: 'complete', exit: { exitCode: 0, signal: null }, statistics: null, result: null },
      log: [],
    })),
  )
  expect(await read()).toBe(7)
  await scene.store.purgeJob({ workspace: 'default', jobId: late.id })
  expect(await read()).toBe(7)
  scene.clock.advance(3 * HOUR)
  expect(await scene.store.summarize({ limit: 10 })).toBe(0)
  expect(await read()).toBe(7)
})

test('a handled slot does not fire again when the schedule is set back', async () => {
  await open()
  const slot = scene.clock.now()
  const workflow = await steps.createDue(slot)
  await steps.fired(workflow, slot)
  await steps.workOff()
  const { definition, scopes, name, maxConsecutiveFailures } = workflow
  await scene.store.replaceWorkflow({
    ...{ definition, scopes, name, maxConsecutiveFailures, secrets: null, workspace: 'default' },
    workflow: workflow.id,
    expectedVersion: 1,
    timing: { cursor: slot - 1, next: { slot, fireAt: slot } },
  })
  expect(await steps.fire(workflow, slot)).toEqual({ type: 'skipped', reason: null })
  expect(await steps.slots(workflow)).toHaveLength(1)
  expect(await steps.fire(workflow, slot + 60_000)).toMatchObject({ type: 'fired' })
})
