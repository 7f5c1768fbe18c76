import { systemClock } from '../../src/kernel/clock.ts'
import { KINDS } from '../../src/model/kind.ts'
import { LEASE_MS } from '../../src/model/lease.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { COMPLETE, leaseOf, newJob } from './suite/scene.ts'
import { newRun, newWorkflow } from './suite/workflow-scene.ts'

/**
 * A process that submits jobs, triggers runs, claims and ends as fast as it can and says on standard output what was
 * acknowledged, one `<id> <status>` a line, until it is killed.
 */
const [path] = process.argv.slice(2)
const store = await openSqliteStore({ path: path!, clock: systemClock })

/** Synchronous: what is printed here was acknowledged before, even if the next instruction is the last. */
const say = (lines: readonly string[]) => process.stdout.write(lines.map(line => `${line}\n`).join(''))

const submit = async () => {
  for (;;) {
    const jobs = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () => newJob())
    await store.submitJobs({ jobs, maxQueued: 1_000_000 })
    say(jobs.map(job => `${job.id} submitted`))
  }
}

const trigger = async () => {
  const workflow = newWorkflow()
  await store.createWorkflow(workflow)
  for (;;) {
    const items = Array.from({ length: 8 }, () => ({ sinks: [{ index: 0, onFailure: true }] }))
    const run = newRun(workflow, items, { trigger: 'manual', maxConcurrent: 3 })
    const key = { workspace: workflow.workspace, workflowId: workflow.id, version: 1 }
    await store.triggerWorkflow({ ...key, run, scheduledAt: null, maxQueued: 1_000_000 })
    say([`${run.id} triggered`])
  }
}

const work = async (workerId: string) => {
  for (;;) {
    const jobs = await store.claimJobs({ workerId, kinds: KINDS, limit: 10, leaseMs: LEASE_MS })
    say(jobs.map(job => `${job.id} claimed`))
    await store.endAttempts(jobs.map(job => ({ lease: leaseOf(job), end: COMPLETE, log: [] })))
    say(jobs.map(job => `${job.id} completed`))
  }
}

await Promise.all([submit(), submit(), trigger(), work('worker-1'), work('worker-2')])
