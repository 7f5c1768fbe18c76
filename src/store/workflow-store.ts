import type { NewJob } from '../model/job.ts'
import type { Overlap, Run, RunStatus, SkipReason, Slot, Workflow, WorkflowState } from '../model/workflow.ts'
import type { IdempotencyKey } from './store.ts'

/**
 * The part of the store about workflows, their slots and their runs. The rules of `store.ts` hold: one method is one
 * transaction, lost races are values, `workspace` is part of every query about a user's things.
 *
 * **Slots of a run.** An item (a job with a `runId`) holds one of its run's `maxConcurrent` slots while it is queued,
 * running or cancelling: the count is derived from these rows, never kept. One function per implementation, `fillSlots`,
 * moves items from `pending` (`run_concurrency`) to `queued`, highest priority first, then in order of submission, under
 * the run's lock. It is called, in the same transaction, wherever a slot may have become free or an item due: end,
 * release, retry due, promote, cancel, resume, extend, start of a run, rescue. An exclusive key is needed as well: an item
 * whose key is held waits as `exclusive_key` without a slot; when the key is passed on to an item whose run has no slot,
 * that item becomes `run_concurrency` and the next one that waits for the key is asked.
 *
 * **End of a run.** When its last live item has ended (extensions joined first), in the same transaction: `terminated`
 * when it was terminated or every item was cancelled, else `failed` when any item failed, else `completed`; the workflow's
 * counter of consecutive failures moves (completed: 0; failed: +1; terminated: unchanged, as it is for a manual run that was
 * made while the workflow was terminated) and at its limit the workflow and its other open runs are terminated and a
 * notification made; then the pending run that waits for it (`queue_one`, `cancel_previous`), if there is one, no earlier
 * run works and the workflow is not paused, starts.
 *
 * **Pause.** A paused run starts no item: queued items go back to `pending` (`run_paused`), waiting ones are `run_paused`
 * too, those waiting for a time or a retry keep their time and are held when it comes. An attempt that fails now by the
 * user's fault is the last (`endAttempts` turns `retry` into the failure it came from); after a system failure, and when a
 * worker puts it back (release), the item is held. A run whose items have all ended ends, paused or not.
 */
export interface WorkflowStore {
  // Workflows
  createWorkflow(input: NewWorkflow): Promise<Workflow | 'exists'>
  /** By id or by name. */
  getWorkflow(input: { workspace: string; workflow: string }): Promise<Workflow | null>
  /** With what reads never show: what the engine makes runs from. */
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
   * Changes later runs only; an open run keeps its snapshot. Raises the version. `timing` is given when the schedule
   * changed: the cursor moves to `cursor`. `expectedVersion` other than the present one: `'changed'`.
   */
  replaceWorkflow(input: ReplaceWorkflow): Promise<Workflow | 'not_found' | 'exists' | 'changed'>
  /** With its slots and notifications; runs and jobs stay. `'active'`: its state is `active`. */
  deleteWorkflow(input: {
    workspace: string
    workflow: string
  }): Promise<'deleted' | 'not_found' | 'active' | 'has_open_runs'>
  /** Pauses all its open runs too. Again: no change. A terminated one stays terminated: `'terminated'`. */
  pauseWorkflow(input: { workspace: string; workflow: string }): Promise<Workflow | 'not_found' | 'terminated'>
  /**
   * Makes it active and resumes its paused runs; when it was terminated the failure counter becomes 0 and `timing` sets
   * where its schedule goes on. When it is `active` already nothing changes.
   */
  resumeWorkflow(input: { workspace: string; workflow: string; timing: Timing }): Promise<Workflow | 'not_found'>
  /** Terminates its open runs too (reason `workflow_terminated`). Again: no change. */
  terminateWorkflow(input: {
    workspace: string
    workflow: string
    graceMs: number | null
  }): Promise<Workflow | 'not_found'>

  // Schedule
  /**
   * Workflows (active or paused) whose `fireAt` has come, earliest first, of all workspaces. `nextFireInMs`: until the
   * next one after those given, null when none waits. Instants are by the store's clock.
   */
  listDueWorkflows(input: { limit: number }): Promise<{
    due: readonly DueWorkflow[]
    now: number
    nextFireInMs: number | null
  }>
  /**
   * Each one is a compare-and-set on (version, cursor), in one transaction with what it makes: the slots recorded (unique
   * per workflow and slot), the run and its jobs, the new cursor and `fireAt`. One that lost does not undo the others.
   */
  fireWorkflows(fires: readonly WorkflowFire[]): Promise<readonly FireResult[]>
  /** A manual run. At once, or `pending` until `scheduledAt`. Ignores overlap, does not move the schedule. */
  triggerWorkflow(input: TriggerWorkflow): Promise<TriggerOutcome>
  /** Starts pending runs whose time has come (not those that wait for another run). */
  startDueRuns(input: { limit: number }): Promise<{ started: number; nextDueAt: number | null }>
  /** Newest first. null: no such workflow. Throws `invalid_cursor`. */
  listSlots(input: {
    workspace: string
    workflow: string
    limit: number
    cursor: string | null
  }): Promise<{ slots: readonly Slot[]; nextCursor: string | null } | null>
  /** What `listSlots` would list in all; of no such workflow 0. */
  countSlots(input: { workspace: string; workflow: string }): Promise<number>

  // Runs
  getRun(input: { workspace: string; runId: string }): Promise<Run | null>
  /** Newest first, each with an empty `snapshot`: a page of them could hold gigabytes. Throws `invalid_cursor`. */
  listRuns(input: {
    workspace: string
    filters: RunFilters
    limit: number
    cursor: string | null
  }): Promise<{ runs: readonly Run[]; nextCursor: string | null }>
  countRuns(input: { workspace: string; filters: RunFilters }): Promise<number>
  /** Again, or ended: no change. A run of a paused workflow may be paused and resumed by itself. */
  pauseRun(input: { workspace: string; runId: string }): Promise<RunChange>
  resumeRun(input: { workspace: string; runId: string }): Promise<RunChange>
  /** Pending and queued items are cancelled (`run_terminated`), running ones become `cancelling` with that grace or their own. Again: no change. */
  terminateRun(input: { workspace: string; runId: string; graceMs: number | null }): Promise<RunChange>
  /** What `retry_failed` makes a new run from: failed items with their sealed secrets, in order. null: no such run. */
  listFailedItems(input: { workspace: string; runId: string }): Promise<{ run: Run; items: readonly NewJob[] } | null>
  /** Runs that ended before and have no jobs left; slots recorded before. */
  purgeRuns(input: { endedBefore: number; limit: number }): Promise<number>

  // Extension: what a running item adds to its own run
  /**
   * Keeps items that join the run when this attempt completes; another attempt of the job drops them. `too_many`: the
   * run's items, those that wait to join and these are more than `maxItems`. `not_in_run`: the job belongs to no run.
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
  /** Restarts the clock of a running attempt; the worker asks `findTimeoutRestart` before it ends one for its timeout. */
  restartTimeout(input: {
    workspace: string
    jobId: string
    attempt: number
  }): Promise<'restarted' | 'not_found' | 'not_running'>
  /** Milliseconds since the clock of the attempt was restarted last; null: never. */
  findTimeoutRestart(input: { jobId: string; attempt: number }): Promise<number | null>
}

/** Where a schedule stands. */
export type Timing = {
  /** The slot up to which everything has been dealt with; slots after it are still to come. */
  readonly cursor: number
  /** The slot after it, and when it fires (with jitter); null: none. */
  readonly next: { readonly slot: number; readonly fireAt: number } | null
}

export type NewWorkflow = {
  readonly id: string
  readonly workspace: string
  readonly name: string
  readonly definition: string
  /** The secret values, sealed, by their path in the definition. */
  readonly secrets: Uint8Array | null
  readonly scopes: readonly string[]
  readonly maxConsecutiveFailures: number | null
  readonly timing: Timing
}

export type ReplaceWorkflow = Omit<NewWorkflow, 'id' | 'timing'> & {
  /** By id or by name; `name` is the new name. */
  readonly workflow: string
  readonly expectedVersion: number
  readonly timing: Timing | null
}

export type LoadedWorkflow = Workflow & { readonly secrets: Uint8Array | null; readonly timing: Timing }

export type WorkflowFilters = {
  readonly state?: readonly WorkflowState[]
  /** Part of the name, upper and lower case alike. */
  readonly query?: string
}

export type DueWorkflow = {
  readonly id: string
  readonly workspace: string
  readonly version: number
  readonly state: WorkflowState
  readonly timing: Timing
}

/** A run and its items, as a firing makes them. Every item carries `runId` and `workflowId`. */
export type NewRun = {
  readonly id: string
  readonly maxConcurrent: number
  /** The definition it was made from, and the version of the workflow that had it. */
  readonly snapshot: string
  readonly workflowVersion: number
  readonly items: readonly NewJob[]
  readonly retryOf: string | null
}

export type WorkflowFire = {
  readonly workspace: string
  readonly workflowId: string
  /** What the caller saw; otherwise the fire is lost. */
  readonly version: number
  readonly cursor: number
  /** Slots before `slot` that do not run, recorded as skipped. Of a paused workflow they are recorded as `paused`. */
  readonly skipped: readonly {
    readonly first: number
    readonly last: number
    readonly count: number
    readonly reason: SkipReason
  }[]
  /** The slot that fires; null: only `skipped` is recorded and the cursor moved. */
  readonly slot: number | null
  /** null with a slot: its payload cannot be made into jobs any more; the slot is recorded as `invalid`. */
  readonly run: NewRun | null
  readonly overlap: Overlap
  readonly timing: Timing
  /** As in `SubmitJobs`; beyond it the slot is recorded as `too_many_queued`. */
  readonly maxQueued: number
}

export type FireResult =
  | { readonly type: 'fired'; readonly runId: string }
  /** Starts when the runs before it have ended (`queue_one`; `cancel_previous`, whose slot replaces one that waits already). */
  | { readonly type: 'waiting'; readonly runId: string }
  | { readonly type: 'skipped'; readonly reason: SkipReason | null }
  /** Another scheduler was first, or the workflow changed, was terminated or deleted. */
  | { readonly type: 'lost' }

export type TriggerWorkflow = {
  readonly workspace: string
  /** By id. */
  readonly workflowId: string
  readonly version: number
  readonly run: NewRun
  readonly scheduledAt: number | null
  readonly maxQueued: number
  /** The answer `{run_id, status}` with 201, and what is in `answer`, is kept in the same transaction. */
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
  readonly trigger?: 'manual' | 'automatic'
  readonly createdAfter?: number
  readonly createdBefore?: number
}

/** `changed: false`: it was so already, or has ended. */
export type RunChange = { readonly run: Run; readonly changed: boolean } | 'not_found'
