import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ClaimedJob } from '../../../src/model/job.ts'
import { canMove, isEnded, type JobStatus } from '../../../src/model/job-status.ts'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, leaseOf, NO_EXIT, newJob, retryIn, type Scene } from './scene.ts'

type Step =
  | 'submit'
  | 'schedule'
  | 'claim'
  | 'complete'
  | 'fail'
  | 'retry'
  | 'release'
  | 'publish'
  | 'cancel'
  | 'rescue'
  | 'promote'
  | 'wait'
  | 'back'
const STEPS: readonly Step[] = [
  'submit',
  'schedule',
  'claim',
  'complete',
  'fail',
  'retry',
  'release',
  'publish',
  'cancel',
  'rescue',
  'promote',
  'wait',
  'back',
]

export const walkTests: AreaTests = scene => {
  test('invariants 2, 3, 4: jobs follow only the transitions of the table, whatever happens in whatever order', async () => {
    const walk = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat({ max: 30 })), { minLength: 30, maxLength: 60 })
    const walks = fc.sample(walk, { numRuns: 6, seed: 20261121 })
    for (const steps of walks) await walkAndCheck(scene(), steps)
  })
}

/** Jobs that hold or held a lease, and those that have committed a publication. */
type Walk = { readonly scene: Scene; readonly held: ClaimedJob[]; readonly published: Set<string> }

const walkAndCheck = async (scene: Scene, steps: readonly (readonly [Step, number])[]): Promise<void> => {
  const walk: Walk = { scene, held: [], published: new Set() }
  for (const [step, choice] of steps) await take(walk, step, choice)
  const last = new Map<string, JobStatus>()
  for (const event of scene.events()) {
    const before = last.get(event.jobId)
    if (before !== undefined) expect(canMove(before, event.status), `${before} → ${event.status}`).toBe(true)
    else expect(['pending', 'queued']).toContain(event.status)
    last.set(event.jobId, event.status)
  }
  for (const [jobId, status] of last) {
    const job = await scene.job(jobId)
    expect(job.status).toBe(status)
    expect(job.finishedAt !== null).toBe(isEnded(status))
    if (walk.published.has(jobId)) expect(['queued', 'running', 'cancelling', 'completed']).toContain(status)
  }
  await checkKeys(scene)
  await checkWaiting(scene)
}

const checkKeys = async (scene: Scene): Promise<void> => {
  const page = await scene.store.listJobs({
    workspace: 'default',
    filters: { status: ['queued', 'running', 'cancelling'] },
    limit: 500,
    cursor: null,
  })
  const keys = page.jobs.flatMap(job => job.exclusiveKey ?? [])
  expect(new Set(keys).size).toBe(keys.length)
}

/** The counter behind `maxQueued` agrees with the existing jobs. */
const checkWaiting = async (scene: Scene): Promise<void> => {
  const filters = { status: ['pending', 'queued'] as const }
  const queued = await scene.store.countJobs({ workspace: 'default', filters })
  const outcome = await scene.store.submitJobs({ jobs: [newJob()], maxQueued: queued })
  expect(outcome).toEqual({ type: 'too_many_queued', queued })
}

const take = async (walk: Walk, step: Step, choice: number): Promise<void> => {
  const { scene, held } = walk
  const exclusiveKey = choice % 3 === 0 ? `key-${choice % 2}` : null
  const endOne = async (end: Parameters<Scene['end']>[1]) => {
    const job = held[choice % Math.max(held.length, 1)]
    if (job) await scene.end(job, end)
  }
  if (step === 'submit') await scene.submit([newJob({ exclusiveKey })])
  if (step === 'schedule') await scene.submit([newJob({ exclusiveKey, scheduledAt: scene.clock.now() + choice * 100 })])
  if (step === 'claim') held.push(...(await scene.claim((choice % 4) + 1)))
  if (step === 'complete') await endOne(COMPLETE)
  if (step === 'fail') await endOne(failure())
  if (step === 'retry') await endOne(retryIn(choice * 100))
  if (step === 'release') await endOne({ type: 'release', exit: NO_EXIT })
  if (step === 'publish') await publishOne(walk, choice)
  if (step === 'cancel') await cancelSome(scene, choice)
  if (step === 'rescue') await rescue(scene)
  if (step === 'promote') await scene.store.promoteDueJobs({ limit: (choice % 3) + 1 })
  if (step === 'wait') scene.clock.advance(choice * 1000)
  if (step === 'back') scene.clock.advance(-choice * 10)
}

const publishOne = async ({ scene, held, published }: Walk, choice: number): Promise<void> => {
  const candidates = held.filter(job => job.exclusiveKey !== null)
  const job = candidates[choice % Math.max(candidates.length, 1)]
  if (!job) return
  const publication = { stagingDatabase: 'staging', tables: [], outcome: '{}' }
  const outcome = await scene.store.commitPublication({ workspace: 'default', lease: leaseOf(job), publication })
  if (outcome === 'committed') published.add(job.id)
}

const cancelSome = async (scene: Scene, choice: number): Promise<void> => {
  const ids = await scene.listIds()
  const jobId = ids[choice % Math.max(ids.length, 1)]
  if (jobId) await scene.cancel(jobId, choice * 100)
}

const rescue = async (scene: Scene): Promise<void> => {
  scene.clock.advance(LEASE_MS)
  const end = failure({ failure: 'system', reason: 'worker_lost', exit: NO_EXIT })
  await scene.store.endAttempts((await scene.lost()).map(lost => ({ lease: lost.lease, end, log: [] })))
}
