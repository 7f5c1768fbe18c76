import type { Run, RunStatus, Workflow, WorkflowState } from '../model/workflow.ts'
import type { IdempotencyKey } from '../store/store.ts'
import type { Submitter } from './engine.ts'

/**
 * Workflow and run operations for the layers above. Reads (`getWorkflow`, `listRuns`, …) go to the store directly. All operations throw `MillraceError`;
 * `workflow` is an id or a name.
 */
export interface Workflows {
  /**
   * Checks a definition as received (`model/workflow-definition.ts`) and stores it. Throws `invalid`, `forbidden` (the payload has a kind beyond the author's
   * scopes), `executor_unavailable`, `workflow_exists`, `schedule_never_fires`, `too_many_items`.
   */
  create(input: { author: Submitter; definition: unknown }): Promise<Workflow>
  /**
   * Like `create`, for an existing workflow; also throws `not_found`. `changed: false`: the definition is identical, including secrets, and nothing is
   * written. A secret given as `"***"` keeps its value unless it would be sent to another address. An unchanged schedule continues where it was.
   */
  replace(input: {
    author: Submitter
    workflow: string
    definition: unknown
  }): Promise<{ workflow: Workflow; changed: boolean }>
  /**
   * Makes every check of `create`, or of `replace` if a workflow of that name exists, and returns which of the two it would be. Writes nothing. This lets
   * `workflows apply` know before its first write that none will be refused, and what changes, including secrets. Throws the same errors.
   */
  check(input: { author: Submitter; definition: unknown }): Promise<'new' | 'changed' | 'unchanged'>
  /** Throws `not_found`, `workflow_active`, `workflow_has_open_runs`. */
  delete(input: { workspace: string; workflow: string }): Promise<void>
  /** Throws `not_found`, `workflow_terminated`. */
  pause(input: { workspace: string; workflow: string }): Promise<Workflow>
  resume(input: { workspace: string; workflow: string }): Promise<Workflow>
  terminate(input: { workspace: string; workflow: string; graceMs: number | null }): Promise<Workflow>
  /**
   * Starts a manual run of the current payload. `caller` must have the scopes for every kind in it. Throws `not_found`, `workflow_paused`, `forbidden`,
   * `invalid`, `too_many_queued`.
   */
  trigger(input: {
    caller: Submitter
    workflow: string
    /** RFC 3339, as received. */
    scheduledAt?: string
    /** Merged over every item's parameters. */
    parameters?: Readonly<Record<string, unknown>>
    idempotency?: IdempotencyKey
  }): Promise<{ runId: string; status: RunStatus }>
  /**
   * Starts a new manual run of the run's failed items, unchanged. `itemsPurged` counts failed items that no longer exist and are left out. Throws
   * `not_found`, `run_not_ended`, `no_failed_items`, `failed_items_purged`, `workflow_paused`, `forbidden`.
   */
  retryFailed(input: {
    caller: Submitter
    runId: string
    idempotency?: IdempotencyKey
  }): Promise<{ runId: string; status: RunStatus; itemsPurged: number }>
  /** Throws `not_found`, `run_ended` (pause and resume only; terminating an ended run again is no error). */
  pauseRun(input: { workspace: string; runId: string }): Promise<Run>
  resumeRun(input: { workspace: string; runId: string }): Promise<Run>
  terminateRun(input: { workspace: string; runId: string; graceMs: number | null }): Promise<Run>
  /** The next slots that will fire and when (including jitter), in epoch ms. Empty unless the workflow is active. Throws `not_found`. */
  upcoming(input: { workspace: string; workflow: string; count: number }): Promise<{
    readonly state: WorkflowState
    readonly slots: readonly { slot: number; fireAt: number }[]
  }>
  /** Slots of an unsaved schedule as received, without jitter, after `after` (exclusive). Throws `invalid`, `schedule_never_fires`. */
  preview(input: { schedule: unknown; after: number; count: number }): readonly number[]
  /**
   * Adds items to the job's own run. They are held until its attempt completes. `scopes` are the caller's; the job's own if absent. Throws `not_found`,
   * `job_not_running`, `job_not_in_run`, `invalid`, `forbidden`, `too_many_items`.
   */
  extend(input: {
    workspace: string
    jobId: string
    attempt: number
    items: readonly unknown[]
    scopes?: readonly string[]
  }): Promise<void>
}
