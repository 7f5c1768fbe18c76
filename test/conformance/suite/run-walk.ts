import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ClaimedJob, Job } from '../../../src/model/job.ts'
import { canMove, isEnded, JOB_STATUSES, type JobStatus } from '../../../src/model/job-status.ts'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { Run, Workflow } from '../../../src/model/workflow.ts'
import type { AreaTests } from '../store-suite.ts'
import { checkRun, checkWaitingForKeys, checkWaitingRuns } from './run-invariants.ts'
import { COMPLETE, failure, leaseOf, NO_EXIT, newJob, retryIn, type Scene, WORKSPACE } from './scene.ts'
import { NO_SCHEDULE, newRun, nextAt, WorkflowScene } from './workflow-scene.ts'

/** Frequent steps are listed more than once. */
const STEPS = [
  ...['trigger', 'trigger', 'later', 'fire', 'fire', 'start due'],
  ...[
    'work',
    'work',
    'work',
    'work',
    'claim',
    'claim',
    'complete',
    'complete',
    'fail',
    'retry',
    'retry system',
    'release',
  ],
  ...['extend', 'publish', 'publish', 'promote', 'promote', 'rescue', 'wait', 'back', 'cancel', 'plain'],
  ...['pause run', 'resume run', 'terminate run', 'pause workflow', 'resume workflow', 'resume workflow'],
  ...['terminate workflow', 'replace'],
] as const
type Step = (typeof STEPS)[number]

export const runWalkTests: AreaTests = scene => {
  test('invariants 2, 3, 4: slots, ends and failure counts of runs are right after every step, whatever happens in whatever order', async () => {
    const walk = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat({ max: 1000 })), { minLength: 60, maxLength: 90 })
    const walks = fc.sample(walk, { numRuns: 4, seed: 20261122 })
    for (const steps of walks) await new RunWalk(scene()).take(steps)
  }, 120_000)
}

/** One walk with its workflows, and a model of the expected counts. */
class RunWalk {
  readonly #scene: Scene
  readonly #steps: WorkflowScene
  readonly #held: ClaimedJob[] = []
  readonly #ended = new Map<string, Run>()
  readonly #published = new Set<string>()
  readonly #failures = new Map<string, number>()
  /** Manual runs that were created while their workflow was terminated. */
  readonly #triedOut = new Set<string>()
  #workflows: readonly Workflow[] = []
  #slot = 0

  constructor(scene: Scene) {
    this.#scene = scene
    this.#steps = new WorkflowScene(() => scene)
  }

  async take(steps: readonly (readonly [Step, number])[]): Promise<void> {
    this.#slot = this.#scene.clock.now()
    const limits = [null, 2, 3]
    for (const maxConsecutiveFailures of limits)
      await this.#steps.create({ maxConsecutiveFailures, timing: nextAt(this.#slot) })
    await this.#look()
    for (const [step, choice] of steps) {
      await this.#step(step, choice)
      await this.#check(step)
    }
    this.#checkTransitions()
  }

  async #step(step: Step, choice: number): Promise<void> {
    const { store, clock } = this.#scene
    const workflow = this.#workflows[choice % this.#workflows.length]!
    const key = { workspace: WORKSPACE, workflow: workflow.id }
    if (step === 'trigger') await this.#trigger(workflow, choice)
    if (step === 'later') await this.#trigger(workflow, choice, { scheduledAt: clock.now() + (choice % 5) * 1000 })
    if (step === 'fire') await this.#fire(workflow, choice)
    if (step === 'start due') await store.startDueRuns({ limit: 10 })
    if (step === 'claim') this.#held.push(...(await this.#scene.claim((choice % 5) + 1)))
    if (step === 'complete') await this.#endOne(choice, COMPLETE)
    if (step === 'fail') await this.#endOne(choice, failure())
    if (step === 'retry') await this.#endOne(choice, retryIn((choice % 4) * 500))
    if (step === 'retry system')
      await this.#endOne(choice, retryIn(1000, { failure: 'system', reason: 'worker_lost', exit: NO_EXIT }))
    if (step === 'release') await this.#endOne(choice, { type: 'release', exit: NO_EXIT })
    if (step === 'work') await this.#work(choice)
    if (step === 'extend') await this.#extend(choice)
    if (step === 'publish') await this.#publish(choice)
    if (step === 'promote') await store.promoteDueJobs({ limit: (choice % 4) + 1 })
    if (step === 'rescue') await this.#rescue()
    if (step === 'wait') clock.advance((choice % 10) * 300)
    if (step === 'back') clock.advance(-(choice % 10) * 100)
    if (step === 'cancel') await this.#cancel(choice)
    if (step === 'plain') await this.#scene.submit([newJob({ exclusiveKey: keyOf(choice) })])
    if (step === 'pause workflow') await store.pauseWorkflow(key)
    if (step === 'resume workflow') await this.#resume(workflow)
    if (step === 'terminate workflow') await store.terminateWorkflow({ ...key, graceMs: choice })
    if (step === 'replace') await this.#replace(workflow)
    if (step.endsWith(' run')) await this.#moveRun(step, choice)
  }

  #newRun(workflow: Workflow, choice: number, trigger: 'manual' | 'automatic') {
    const items = Array.from({ length: (choice % 4) + 1 }, (_, index) => ({
      exclusiveKey: (choice + index) % 3 === 0 ? keyOf(choice + index) : null,
      priority: (choice * (index + 1)) % 3,
    }))
    return newRun(workflow, items, { trigger, maxConcurrent: (choice % 3) + 1 })
  }

  async #trigger(workflow: Workflow, choice: number, when: { scheduledAt?: number } = {}): Promise<void> {
    const run = this.#newRun(workflow, choice, 'manual')
    if (workflow.state === 'terminated') this.#triedOut.add(run.id)
    await this.#steps.trigger(workflow, run, when)
  }

  async #fire(workflow: Workflow, choice: number): Promise<void> {
    const overlap = (['skip', 'allow', 'queue_one', 'cancel_previous'] as const)[choice % 4]!
    const run = this.#newRun(workflow, choice, 'automatic')
    this.#slot += 1000
    await this.#steps.fire(workflow, this.#slot, { overlap, run })
  }

  async #endOne(choice: number, end: Parameters<Scene['end']>[1]): Promise<void> {
    const index = choice % Math.max(this.#held.length, 1)
    const job = this.#held[index]
    // Sometimes an attempt that has ended is ended again.
    if (job && choice % 7 !== 0) this.#held.splice(index, 1)
    if (job) await this.#scene.end(job, end)
  }

  /** Some items from claim to end, so that runs reach theirs. */
  async #work(choice: number): Promise<void> {
    const ends = [COMPLETE, failure(), COMPLETE, retryIn(0), COMPLETE, failure()]
    for (const [index, job] of (await this.#scene.claim(6)).entries()) {
      await this.#scene.end(job, ends[(choice + index) % ends.length]!)
      await this.#check('work')
    }
  }

  async #publish(choice: number): Promise<void> {
    const candidates = this.#held.filter(job => job.exclusiveKey !== null)
    const job = candidates[choice % Math.max(candidates.length, 1)]
    if (!job) return
    const publication = { stagingDatabase: 'staging', tables: [], outcome: '{}' }
    const lease = leaseOf(job)
    const outcome = await this.#scene.store.commitPublication({ workspace: WORKSPACE, lease, publication })
    if (outcome === 'committed') this.#published.add(job.id)
  }

  async #extend(choice: number): Promise<void> {
    const job = this.#held[choice % Math.max(this.#held.length, 1)]
    if (!job) return
    const items = Array.from({ length: (choice % 3) + 1 }, () =>
      newJob({ runId: job.runId, workflowId: job.workflowId, exclusiveKey: choice % 5 === 0 ? keyOf(choice) : null }),
    )
    await this.#scene.store.extendRun({
      workspace: WORKSPACE,
      jobId: job.id,
      attempt: job.attempt,
      items,
      maxItems: 30,
    })
  }

  /** One by one, so that at most one run ends through its items in one step of the store. */
  async #rescue(): Promise<void> {
    this.#scene.clock.advance(LEASE_MS)
    const [lost] = await this.#scene.lost()
    const end = retryIn(500, { failure: 'system', reason: 'worker_lost', exit: NO_EXIT })
    if (lost) await this.#scene.store.endAttempts([{ lease: lost.lease, end, log: [] }])
  }

  async #cancel(choice: number): Promise<void> {
    const ids = await this.#scene.listIds({ status: ['pending', 'queued', 'running'] })
    const jobId = ids[choice % Math.max(ids.length, 1)]
    if (jobId) await this.#scene.cancel(jobId)
  }

  async #resume(workflow: Workflow): Promise<void> {
    const timing = nextAt(this.#slot + 1000)
    await this.#scene.store.resumeWorkflow({ workspace: WORKSPACE, workflow: workflow.id, timing })
    if (workflow.state === 'terminated') this.#failures.set(workflow.id, 0)
  }

  async #replace(workflow: Workflow): Promise<void> {
    const { name, definition, scopes, maxConsecutiveFailures, version: expectedVersion } = workflow
    const changed = { name, definition, scopes, maxConsecutiveFailures, expectedVersion }
    const key = { workspace: WORKSPACE, workflow: workflow.id, secrets: null, timing: NO_SCHEDULE }
    expect(await this.#scene.store.replaceWorkflow({ ...key, ...changed })).toMatchObject({
      version: expectedVersion + 1,
    })
  }

  async #moveRun(step: Step, choice: number): Promise<void> {
    const runs = await this.#runs()
    const run = runs[choice % Math.max(runs.length, 1)]
    if (!run) return
    const key = { workspace: WORKSPACE, runId: run.id }
    if (step === 'pause run') await this.#scene.store.pauseRun(key)
    if (step === 'resume run') await this.#scene.store.resumeRun(key)
    if (step === 'terminate run') await this.#scene.store.terminateRun({ ...key, graceMs: null })
  }

  async #check(step: Step): Promise<void> {
    const before = new Map(this.#workflows.map(workflow => [workflow.id, workflow]))
    await this.#look()
    const runs = await this.#runs()
    const jobs = await this.#jobs()
    for (const run of runs) {
      const items = jobs.filter(job => job.runId === run.id)
      checkRun(run, items, this.#published)
      const ended = this.#ended.get(run.id)
      if (ended) expect(run, `an ended run changed at ${step}`).toEqual(ended)
      else if (run.finishedAt !== null) this.#countEnd(run, before.get(run.workflowId)!)
    }
    checkWaitingForKeys(jobs)
    for (const workflow of this.#workflows)
      if (workflow.state === 'active') checkWaitingRuns(runs.filter(run => run.workflowId === workflow.id))
    for (const workflow of this.#workflows)
      expect(workflow.consecutiveFailures, `failures after ${step}`).toBe(this.#failures.get(workflow.id) ?? 0)
  }

  /** The model of `api.md`, Consecutive failures. */
  #countEnd(run: Run, workflow: Workflow): void {
    this.#ended.set(run.id, run)
    if (run.status === 'terminated' || this.#triedOut.has(run.id)) return
    const failures = run.status === 'completed' ? 0 : (this.#failures.get(workflow.id) ?? 0) + 1
    this.#failures.set(workflow.id, failures)
    const limit = workflow.maxConsecutiveFailures
    if (limit === null || failures < limit) return
    expect(this.#workflows.find(({ id }) => id === workflow.id)).toMatchObject({ state: 'terminated' })
  }

  async #look(): Promise<void> {
    const page = { workspace: WORKSPACE, filters: {}, limit: 3, cursor: null }
    this.#workflows = (await this.#scene.store.listWorkflows(page)).workflows
  }

  /** Of this walk's workflows. */
  async #runs(): Promise<readonly Run[]> {
    const runs: Run[] = []
    let cursor: string | null = null
    do {
      const page = await this.#scene.store.listRuns({ workspace: WORKSPACE, filters: {}, limit: 500, cursor })
      runs.push(...page.runs)
      cursor = page.nextCursor
    } while (cursor !== null)
    return runs.filter(run => this.#workflows.some(workflow => workflow.id === run.workflowId))
  }

  async #jobs(): Promise<readonly Job[]> {
    const jobs: Job[] = []
    let cursor: string | null = null
    do {
      const page = await this.#scene.store.listJobs({ workspace: WORKSPACE, filters: {}, limit: 500, cursor })
      jobs.push(...page.jobs)
      cursor = page.nextCursor
    } while (cursor !== null)
    return jobs
  }

  #checkTransitions(): void {
    const last = new Map<string, JobStatus>()
    for (const { jobId, status } of this.#scene.events()) {
      const before = last.get(jobId)
      if (before === undefined) expect(JOB_STATUSES[status].table).toBe('live')
      else expect(canMove(before, status), `${before} → ${status}`).toBe(true)
      last.set(jobId, status)
    }
    expect([...last.values()].some(isEnded)).toBe(true)
  }
}

const keyOf = (choice: number): string => `key-${choice % 2}`
