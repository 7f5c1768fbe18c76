import type { NewJob } from '../model/job.ts'
import type { Trigger } from '../model/trigger.ts'
import type { Overlap, Run, RunStatus, SkipReason, Slot, Workflow, WorkflowState } from '../model/workflow.ts'
import type { IdempotencyKey } from './store.ts'

/**
 * Workflows, their slots and their runs. The rules of `store.ts` apply: one method is one transaction, lost races are values, every query about a
 * user's data includes `workspace`.
 *
 * **Slots of a run.** An item (a job with a `runId`) holds one of its run's `maxConcurrent` slots while it is queued, running or cancelling. The
 * count is derived from these rows, never stored. One function per implementation, `fillSlots`, moves items from `pending` (`run_concurrency`) to
 * `queued`, highest priority first, then in order of submission, under the run's lock. It is called in the same transaction wherever a slot may have
 * become free or an item due: end, release, retry due, promote, cancel, resume, extend, start of a run, rescue. An exclusive key is needed as well:
 * an item whose key is held waits as `exclusive_key` without a slot. If the key is passed to an item whose run has no free slot, that item becomes
 * `run_concurrency` and the next one waiting for the key is tried.
 *
 * **End of a run.** Happens in the transaction that ends its last live item (after extensions have joined). The run becomes `terminated` if it was
 * terminated or every item was cancelled, else `failed` if any item failed, else `completed`. The workflow's counter of consecutive failures changes
 * (completed: 0; failed: +1; terminated: unchanged, as for a manual run created while the workflow was terminated). When it reaches its limit, the
 * workflow and its other open runs are terminated and a notification is created. Then the pending run waiting for this one (`queue_one`,
 * `cancel_previous`), if any, starts, provided that no earlier run is still running and the workflow is not paused.
 *
 * **Pause.** A paused run starts no item: queued items go back to `pending` (`run_paused`) and waiting ones become `run_paused` too. Items waiting
 * for a time or a retry keep their time and are held once it passes. A user failure is then final (`endAttempts` turns `retry` into the failure that
 * caused it); after a system failure or a release by the worker, the item is held. A run whose items have all ended ends, paused or not.
 */
export interface WorkflowStore {
  // Workflows
  createWorkflow(input: NewWorkflow): Promise<Workflow | 'exists'>
  /** By id or name. */
  getWorkflow(input: { workspace: string; workflow: string }): Promise<Workflow | null>
  /** Includes fields that reads never show, from which the engine creates runs. */
  loadWorkflow(input: { workspace: string; workflow: string }): Promise<LoadedWorkflow | null>
  /** Newest first. Throws `invalid_cursor`. */
  listWorkflows(input: {
    workspace: string
    filters: WorkflowFilters
    limit: number
    cursor: string | null
  }): Promise<{ workflows: readonly Workflow[]; nextCursor: string | null }>
  countWorkflows(input: { workspace: string; filters: WorkflowFilters }): Promise<number>
  /**
   * Affects later runs only; an open run keeps its snapshot. Increments the version. `timing` is given if the schedule changed: the cursor moves to
   * `cursor`. `'changed'`: `expectedVersion` is not the current version.
   */
  replaceWorkflow(input: ReplaceWorkflow): Promise<Workflow | 'not_found' | 'exists' | 'changed'>
  /** Deletes it with its slots and notifications; runs and jobs stay. `'active'`: refused, because its state is `active`. */
  deleteWorkflow(input: {
    workspace: string
    workflow: string
  }): Promise<'deleted' | 'not_found' | 'active' | 'has_open_runs'>
  /** Also pauses all its open runs. A no-op if already paused. A terminated workflow stays terminated: `'terminated'`. */
  pauseWorkflow(input: { workspace: string; workflow: string }): Promise<Workflow | 'not_found' | 'terminated'>
  /**
   * Activates it and resumes its paused runs. If it was terminated, the failure counter is reset to 0 and `timing` sets where its schedule continues.
   * A no-op if already `active`.
   */
  resumeWorkflow(input: { workspace: string; workflow: string; timing: Timing }): Promise<Workflow | 'not_found'>
  /** Also terminates its open runs (reason `workflow_terminated`). A no-op if already terminated. */
  terminateWorkflow(input: {
    workspace: string
    workflow: string
    graceMs: number | null
  }): Promise<Workflow | 'not_found'>

  // Schedule
  /**
   * Workflows (active or paused) of all workspaces whose `fireAt` has passed, earliest first. `nextFireInMs`: time until the next one after those
   * returned, null if there is none. Times are by the store's clock.
   */
  listDueWorkflows(input: { limit: number }): Promise<{
    due: readonly DueWorkflow[]
    now: number
    nextFireInMs: number | null
  }>
  /**
   * Each fire is a compare-and-set on (version, cursor), in one transaction with what it creates: the recorded slots (unique per workflow and slot),
   * the run and its jobs, the new cursor and `fireAt`. A lost fire does not undo the others.
   */
  fireWorkflows(fires: readonly WorkflowFire[]): Promise<readonly FireResult[]>
  /** Creates a manual run, which starts at once or is `pending` until `scheduledAt`. Ignores overlap and does not move the schedule. */
  triggerWorkflow(input: TriggerWorkflow): Promise<TriggerOutcome>
  /** Starts pending runs whose time has come (not those waiting for another run). */
  startDueRuns(input: { limit: number }): Promise<{ started: number; nextDueAt: number | null }>
  /** Newest first. null: no such workflow. Throws `invalid_cursor`. */
  listSlots(input: {
    workspace: string
    workflow: string
    limit: number
    cursor: string | null
  }): Promise<{ slots: readonly Slot[]; nextCursor: string | null } | null>
  /** Total number of slots that `listSlots` lists; 0 if there is no such workflow. */
  countSlots(input: { workspace: string; workflow: string }): Promise<number>

  // Runs
  getRun(input: { workspace: string; runId: string }): Promise<Run | null>
  /** Newest first, each with an empty `snapshot`: a page of them could take gigabytes. Throws `invalid_cursor`. */
  listRuns(input: {
    workspace: string
    filters: RunFilters
    limit: number
    cursor: string | null
  }): Promise<{ runs: readonly Run[]; nextCursor: string | null }>
  countRuns(input: { workspace: string; filters: RunFilters }): Promise<number>
  /** A no-op if already paused or ended. A run of a paused workflow may be paused and resumed on its own. */
  pauseRun(input: { workspace: string; runId: string }): Promise<RunChange>
  resumeRun(input: { workspace: string; runId: string }): Promise<RunChange>
  /**
   * Cancels pending and queued items (`run_terminated`); running ones become `cancelling` with the given grace or their own. A no-op if already being
   * terminated.
   */
  terminateRun(input: { workspace: string; runId: string; graceMs: number | null }): Promise<RunChange>
  /** What `retry_failed` creates a new run from: failed items with their sealed secrets, in order. null: no such run. */
  listFailedItems(input: { workspace: string; runId: string }): Promise<{ run: Run; items: readonly NewJob[] } | null>
  /** Deletes runs that ended before `endedBefore` and have no jobs left, and slots recorded before it. */
  purgeRuns(input: { endedBefore: number; limit: number }): Promise<number>

  // Extension: items that a running item adds to its own run
  /**
   * Stores items that join the run when this attempt completes; if it does not, they are dropped. `too_many`: the run's items, those waiting to join
   * and these exceed `maxItems`. `not_in_run`: the job belongs to no run.
   */
  extendRun(input: {
    workspace: string
    jobId: string
    attempt: number
    items: readonly NewJob[]
    maxItems: number
  }): Promise<
    'kept' | 'not_found' | 'not_running' | 'not_in_run' | { readonly type: 'too_many'; readonly items: number }
  >
  /** Restarts a running attempt's timeout; the worker checks `findTimeoutRestart` before it ends an attempt for its timeout. */
  restartTimeout(input: {
    workspace: string
    jobId: string
    attempt: number
  }): Promise<'restarted' | 'not_found' | 'not_running'>
  /** Milliseconds since the attempt's timeout was last restarted; null: never. */
  findTimeoutRestart(input: { jobId: string; attempt: number }): Promise<number | null>
}

/** The state of a schedule. */
export type Timing = {
  /** All slots up to this one have been handled; later ones are still to come. */
  readonly cursor: number
  /** The slot after the cursor, and when it fires (with jitter); null: none. */
  readonly next: { readonly slot: number; readonly fireAt: number } | null
}

export type NewWorkflow = {
  readonly id: string
  readonly workspace: string
  readonly name: string
  readonly definition: string
  /** The sealed secret values, by their path in the definition. */
  readonly secrets: Uint8Array | null
  readonly scopes: readonly string[]
  readonly maxConsecutiveFailures: number | null
  readonly timing: Timing
}

export type ReplaceWorkflow = Omit<NewWorkflow, 'id' | 'timing'> & {
  /** By id or name; `name` is the new name. */
  readonly workflow: string
  readonly expectedVersion: number
  readonly timing: Timing | null
}

export type LoadedWorkflow = Workflow & { readonly secrets: Uint8Array | null; readonly timing: Timing }

export type WorkflowFilters = {
  readonly state?: readonly WorkflowState[]
  /** Substring of the name, case-insensitive. */
  readonly query?: string
}

export type DueWorkflow = {
  readonly id: string
  readonly workspace: string
  readonly version: number
  readonly state: WorkflowState
  readonly timing: Timing
}

/** A run and its items, as created by a fire. Every item has `runId` and `workflowId`. */
export type NewRun = {
  readonly id: string
  readonly maxConcurrent: number
  /** The definition it was created from, and the workflow version that had it. */
  readonly snapshot: string
  readonly workflowVersion: number
  readonly items: readonly NewJob[]
  readonly retryOf: string | null
}

export type WorkflowFire = {
  readonly workspace: string
  readonly workflowId: string
  /** As the caller read them; if they have changed, the fire is lost. */
  readonly version: number
  readonly cursor: number
  /** Slots before `slot` that do not run, recorded as skipped, with reason `paused` if the workflow is paused. */
  readonly skipped: readonly {
    readonly first: number
    readonly last: number
    readonly count: number
    readonly reason: SkipReason
  }[]
  /** The slot that fires; null: only records `skipped` and moves the cursor. */
  readonly slot: number | null
  /** null with a slot: its payload can no longer be turned into jobs; the slot is recorded as `invalid`. */
  readonly run: NewRun | null
  readonly overlap: Overlap
  readonly timing: Timing
  /** As in `SubmitJobs`; if exceeded, the slot is recorded as `too_many_queued`. */
  readonly maxQueued: number
}

export type FireResult =
  | { readonly type: 'fired'; readonly runId: string }
  /** Starts when the runs before it have ended (`queue_one`; `cancel_previous`, whose slot replaces a run already waiting). */
  | { readonly type: 'waiting'; readonly runId: string }
  | { readonly type: 'skipped'; readonly reason: SkipReason | null }
  /** Another scheduler was first, or the workflow was changed, terminated or deleted. */
  | { readonly type: 'lost' }

export type TriggerWorkflow = {
  readonly workspace: string
  /** Workflow id. */
  readonly workflowId: string
  readonly version: number
  readonly run: NewRun
  readonly scheduledAt: number | null
  readonly maxQueued: number
  /** The answer `{run_id, status}` with 201, plus the contents of `answer`, is stored in the same transaction. */
  readonly idempotency?: IdempotencyKey
  readonly answer?: Readonly<Record<string, number>>
}
export type TriggerOutcome =
  | { readonly type: 'triggered'; readonly runId: string; readonly status: RunStatus }
  | { readonly type: 'paused' | 'not_found' | 'changed' }
  | { readonly type: 'too_many_queued'; readonly queued: number }

export type RunFilters = {
  readonly status?: readonly RunStatus[]
  readonly workflowId?: string
  readonly trigger?: Trigger
  readonly createdAfter?: number
  readonly createdBefore?: number
}

/** `changed: false`: already in that state, or ended. */
export type RunChange = { readonly run: Run; readonly changed: boolean } | 'not_found'
