import type { Run, RunStatus, Workflow, WorkflowState } from '../model/workflow.ts'
import type { IdempotencyKey } from '../store/store.ts'
import type { Submitter } from './engine.ts'

/**
 * What the layers above do with workflows and runs. Reading (`getWorkflow`, `listRuns`, …) goes to the store directly.
 * Everything throws `MillraceError`; `workflow` is an id or a name.
 */
export interface Workflows {
  /** Checks a definition as it came (`model/workflow-definition.ts`) and keeps it. `invalid`, `forbidden` (a kind of the payload beyond the author's scopes), `executor_unavailable`, `workflow_exists`, `schedule_never_fires`, `too_many_items`. */
  create(input: { author: Submitter; definition: unknown }): Promise<Workflow>
  /**
   * As `create` for one that exists; also `not_found`. `changed: false`: the definition is the same, secrets included;
   * then nothing is written. A secret given as `"***"` keeps its value unless it would be sent to another address. The schedule goes on where it was unless it changed.
   */
  replace(input: {
    author: Submitter
    workflow: string
    definition: unknown
  }): Promise<{ workflow: Workflow; changed: boolean }>
  /**
   * Everything `create` would check or, when a workflow of that name exists, `replace`, and which of the two it would be;
   * writes nothing. So `workflows apply` knows before its first write that none will be refused, and what changes, secrets
   * included. Errors as those two.
   */
  check(input: { author: Submitter; definition: unknown }): Promise<'new' | 'changed' | 'unchanged'>
  /** `not_found`, `workflow_active`, `workflow_has_open_runs`. */
  delete(input: { workspace: string; workflow: string }): Promise<void>
  /** `not_found`, `workflow_terminated`. */
  pause(input: { workspace: string; workflow: string }): Promise<Workflow>
  resume(input: { workspace: string; workflow: string }): Promise<Workflow>
  terminate(input: { workspace: string; workflow: string; graceMs: number | null }): Promise<Workflow>
  /** A manual run, of the payload as it stands. `caller` must itself be allowed to run every kind in it. `not_found`, `workflow_paused`, `forbidden`, `invalid`, `too_many_queued`. */
  trigger(input: {
    caller: Submitter
    workflow: string
    /** RFC 3339 as it came. */
    scheduledAt?: string
    /** Merged over every item's parameters. */
    parameters?: Readonly<Record<string, unknown>>
    idempotency?: IdempotencyKey
  }): Promise<{ runId: string; status: RunStatus }>
  /**
   * A new manual run of the run's failed items, as they were; `itemsPurged` of them are no longer there and not in it.
   * `not_found`, `run_not_ended`, `no_failed_items`, `failed_items_purged`, `workflow_paused`, `forbidden`.
   */
  retryFailed(input: {
    caller: Submitter
    runId: string
    idempotency?: IdempotencyKey
  }): Promise<{ runId: string; status: RunStatus; itemsPurged: number }>
  /** `not_found`, `run_ended` (pause and resume; a second terminate of an ended run is no error). */
  pauseRun(input: { workspace: string; runId: string }): Promise<Run>
  resumeRun(input: { workspace: string; runId: string }): Promise<Run>
  terminateRun(input: { workspace: string; runId: string; graceMs: number | null }): Promise<Run>
  /** The next slots that will fire, with the instants they do at (jitter included), epoch ms: none unless it is active. `not_found`. */
  upcoming(input: { workspace: string; workflow: string; count: number }): Promise<{
    readonly state: WorkflowState
    readonly slots: readonly { slot: number; fireAt: number }[]
  }>
  /** Slots of an unsaved schedule as it came, `after` exclusive, without jitter. `invalid`, `schedule_never_fires`. */
  preview(input: { schedule: unknown; after: number; count: number }): readonly number[]
  /** Items for the job's own run, kept until its attempt completes. `scopes` of the caller; the job's own when absent. `not_found`, `job_not_running`, `job_not_in_run`, `invalid`, `forbidden`, `too_many_items`. */
  extend(input: {
    workspace: string
    jobId: string
    attempt: number
    items: readonly unknown[]
    scopes?: readonly string[]
  }): Promise<void>
}
