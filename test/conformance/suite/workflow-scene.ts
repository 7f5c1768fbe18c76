import { newId } from '../../../src/kernel/ids.ts'
import type { ClaimedJob, NewJob } from '../../../src/model/job.ts'
import type { Run, RunEvent, Workflow } from '../../../src/model/workflow.ts'
import type {
  FireResult,
  NewRun,
  NewWorkflow,
  Timing,
  TriggerOutcome,
  TriggerWorkflow,
  WorkflowFire,
} from '../../../src/store/workflow-store.ts'
import { COMPLETE, newJob, type Scene, WORKSPACE } from './scene.ts'

/** A schedule that never fires. */
export const NO_SCHEDULE: Timing = { cursor: 0, next: null }

/** Everything before `slot` has been handled; it fires on time. */
export const nextAt = (slot: number, fireAt = slot): Timing => ({ cursor: slot - 1, next: { slot, fireAt } })

export const newWorkflow = (overrides: Partial<NewWorkflow> = {}): NewWorkflow => {
  const id = overrides.id ?? newId()
  return {
    id,
    workspace: WORKSPACE,
    name: `workflow ${id}`,
    definition: '{"payload":[{"command":"true"}]}',
    secrets: null,
    scopes: ['jobs:run:command'],
    maxConsecutiveFailures: null,
    timing: NO_SCHEDULE,
    ...overrides,
  }
}

/** A run of the workflow with that many items, or with these. */
export const newRun = (
  workflow: { readonly id: string; readonly workspace?: string; readonly version?: number },
  items: number | readonly Partial<NewJob>[] = 1,
  overrides: Partial<NewRun> & { readonly trigger?: NewJob['trigger'] } = {},
): NewRun => {
  const { trigger = 'automatic', ...rest } = overrides
  const id = rest.id ?? newId()
  const bodies = typeof items === 'number' ? Array.from({ length: items }, () => ({})) : items
  return {
    id,
    maxConcurrent: 5,
    snapshot: '{"payload":[]}',
    workflowVersion: workflow.version ?? 1,
    retryOf: null,
    items: bodies.map(body =>
      newJob({
        workspace: workflow.workspace ?? WORKSPACE,
        runId: id,
        workflowId: workflow.id,
        trigger,
        ...body,
      }),
    ),
    ...rest,
  }
}

/** Steps with workflows, their runs and slots, on top of a scene. */
export class WorkflowScene {
  readonly #scene: () => Scene

  constructor(scene: () => Scene) {
    this.#scene = scene
  }

  get store() {
    return this.#scene().store
  }

  async create(overrides: Partial<NewWorkflow> = {}): Promise<Workflow> {
    const created = await this.store.createWorkflow(newWorkflow(overrides))
    if (created === 'exists') throw new Error('there is a workflow of that name')
    return created
  }

  /** Due now by default. */
  createDue(slot = this.#scene().clock.now(), overrides: Partial<NewWorkflow> = {}): Promise<Workflow> {
    return this.create({ timing: nextAt(slot), ...overrides })
  }

  /** Fires a slot like a scheduler that has just read the workflow; the next slot is a minute later. */
  async fire(
    workflow: { readonly id: string },
    slot: number | null,
    overrides: Partial<WorkflowFire> = {},
  ): Promise<FireResult> {
    const [result] = await this.store.fireWorkflows([await this.fireOf(workflow, slot, overrides)])
    return result!
  }

  async fireOf(
    workflow: { readonly id: string },
    slot: number | null,
    overrides: Partial<WorkflowFire> = {},
  ): Promise<WorkflowFire> {
    const loaded = await this.store.loadWorkflow({ workspace: WORKSPACE, workflow: workflow.id })
    const cursor = slot ?? overrides.skipped?.at(-1)?.last ?? loaded!.timing.cursor
    return {
      workspace: WORKSPACE,
      workflowId: workflow.id,
      version: loaded!.version,
      cursor: loaded!.timing.cursor,
      skipped: [],
      slot,
      run: slot === null ? null : newRun(workflow),
      overlap: 'skip',
      timing: { cursor, next: { slot: cursor + 60_000, fireAt: cursor + 60_000 } },
      maxQueued: 1_000_000,
      ...overrides,
    }
  }

  /** Fires a slot and returns the run it created. */
  async fired(workflow: { readonly id: string }, slot: number, overrides: Partial<WorkflowFire> = {}): Promise<string> {
    const result = await this.fire(workflow, slot, overrides)
    if (result.type !== 'fired' && result.type !== 'waiting') throw new Error(`not fired: ${JSON.stringify(result)}`)
    return result.runId
  }

  trigger(
    workflow: Pick<Workflow, 'id' | 'version'>,
    run: NewRun,
    overrides: Partial<TriggerWorkflow> = {},
  ): Promise<TriggerOutcome> {
    return this.store.triggerWorkflow({
      workspace: WORKSPACE,
      workflowId: workflow.id,
      version: workflow.version,
      run,
      scheduledAt: null,
      maxQueued: 1_000_000,
      ...overrides,
    })
  }

  /** Triggers a manual run with that many items, or with these, and returns its id. */
  async start(
    workflow: Pick<Workflow, 'id' | 'version'>,
    items: number | readonly Partial<NewJob>[] = 1,
    overrides: Partial<NewRun> = {},
  ): Promise<string> {
    const run = newRun(workflow, items, { trigger: 'manual', ...overrides })
    const outcome = await this.trigger(workflow, run)
    if (outcome.type !== 'triggered') throw new Error(`not triggered: ${outcome.type}`)
    return outcome.runId
  }

  async workflow(id: string): Promise<Workflow> {
    const workflow = await this.store.getWorkflow({ workspace: WORKSPACE, workflow: id })
    if (!workflow) throw new Error(`no workflow ${id}`)
    return workflow
  }

  async run(runId: string): Promise<Run> {
    const run = await this.store.getRun({ workspace: WORKSPACE, runId })
    if (!run) throw new Error(`no run ${runId}`)
    return run
  }

  /** Claims everything and ends it, until nothing is left. */
  async workOff(end = COMPLETE): Promise<readonly ClaimedJob[]> {
    const done: ClaimedJob[] = []
    for (let jobs = await this.#scene().claim(); jobs.length > 0; jobs = await this.#scene().claim()) {
      for (const job of jobs) await this.#scene().end(job, end)
      done.push(...jobs)
    }
    return done
  }

  async slots(workflow: { readonly id: string }) {
    const page = await this.store.listSlots({ workspace: WORKSPACE, workflow: workflow.id, limit: 100, cursor: null })
    return page!.slots
  }

  /** Slots that fired and were skipped, of all workflows and hours. */
  async slotSums(): Promise<{ fired: number; skipped: number }> {
    const to = this.#scene().clock.now() + 3_600_000
    const hours = await this.store.readAnalytics({ workspace: WORKSPACE, from: 0, to })
    return {
      fired: hours.reduce((sum, hour) => sum + hour.slotsFired, 0),
      skipped: hours.reduce((sum, hour) => sum + hour.slotsSkipped, 0),
    }
  }

  /** Changes of runs so far, oldest first. */
  events(): RunEvent[] {
    return this.#scene().signals.flatMap(signal => (signal.type === 'run_events' ? signal.events : []))
  }
}
