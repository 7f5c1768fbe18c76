import type { ClaimedJob, JobEvent } from '../../src/model/job.ts'
import { canMove, isEnded, type JobStatus } from '../../src/model/job-status.ts'
import {
  ENDED_RUN_STATUSES,
  type Overlap,
  type RunEvent,
  type RunStatus,
  type Workflow,
  type WorkflowState,
} from '../../src/model/workflow.ts'
import type { EndAttempt, EndResult } from '../../src/store/store.ts'

type ModelWorkflow = { state: WorkflowState; failures: number; max: number | null }
type ModelRun = {
  readonly workflowId: string
  /** Whether its end changes the workflow's failure counter. */
  readonly counts: boolean
  /** Of the fire that created it; null: a manual run, which may run beside any other. */
  readonly overlap: Overlap | null
  hasStarted: boolean
  status: RunStatus | null
}

/**
 * What must be so, told from what the store says has happened: the transitions of jobs and runs, the attempts that live,
 * and the counters of failures. It is small enough to be believed.
 */
export const createModel = () => {
  const faults: string[] = []
  const jobs = new Map<string, JobStatus>()
  const runs = new Map<string, ModelRun>()
  const workflows = new Map<string, ModelWorkflow>()
  /** The live attempt of each job that has one. */
  const live = new Map<string, number>()
  const highest = new Map<string, number>()

  let extensions = 0

  const fault = (text: string): void => void faults.push(text)

  return {
    faults,
    workflows,
    runs,
    /** Invariants 3 and 4: no transition that is not in the table, and none out of an ended status. */
    jobMoved: ({ jobId, status }: JobEvent): void => {
      const before = jobs.get(jobId)
      if (
        before === undefined
          ? status !== 'pending' && status !== 'queued'
          : before !== status && !canMove(before, status)
      )
        fault(`job ${jobId} went from ${before} to ${status}`)
      if (before !== undefined && isEnded(before)) fault(`job ${jobId} had ended as ${before} and became ${status}`)
      jobs.set(jobId, status)
    },
    /** Invariant 2: an attempt starts only when the previous one has ended, and numbers rise. */
    claimed: (claims: readonly ClaimedJob[]): void => {
      for (const { id, attempt } of claims) {
        if (live.has(id)) fault(`job ${id} was claimed as attempt ${attempt} while ${live.get(id)} lived`)
        if (attempt !== (highest.get(id) ?? 0) + 1)
          fault(`job ${id} was claimed as attempt ${attempt} after ${highest.get(id)}`)
        live.set(id, attempt)
        highest.set(id, attempt)
      }
    },
    /** Invariant 2: without the lease nothing is written. */
    ended: (ends: readonly EndAttempt[], results: readonly EndResult[]): void => {
      for (const [index, { lease }] of ends.entries()) {
        if (!results[index]!.applied) continue
        if (live.get(lease.jobId) !== lease.attempt)
          fault(`attempt ${lease.attempt} of job ${lease.jobId} was ended, but ${live.get(lease.jobId)} lived`)
        live.delete(lease.jobId)
      }
    },
    runMoved: ({ runId, status }: RunEvent): void => {
      const run = runs.get(runId)
      if (!run || isEndedRun(run.status)) {
        fault(`run ${runId}, which was ${run?.status ?? 'never made'}, became ${status}`)
        return
      }
      run.status = status
      if (!run.hasStarted && (status === 'running' || status === 'pausing')) {
        run.hasStarted = true
        const others = run.overlap === null || run.overlap === 'allow' ? [] : earlierThatWork(runs, runId)
        for (const other of others) fault(`run ${runId} (${run.overlap}) started while run ${other} worked`)
      }
      if (isEndedRun(status)) countFailure(workflows.get(run.workflowId)!, run)
    },
    stateSet: (workflowId: string, state: WorkflowState): void => {
      const workflow = workflows.get(workflowId)!
      if (state === 'active' && workflow.state === 'terminated') workflow.failures = 0
      workflow.state = state
    },
    compare: ({ id, name, state, consecutiveFailures }: Workflow): void => {
      const expected = workflows.get(id)!
      if (state !== expected.state || consecutiveFailures !== expected.failures)
        fault(
          `workflow ${name} is ${state} with ${consecutiveFailures} failures, not ${expected.state} with ${expected.failures}`,
        )
    },
    extended: (): void => {
      extensions += 1
    },
    report: () => {
      const ended: Record<string, number> = {}
      for (const { status } of runs.values()) ended[status ?? 'not made'] = (ended[status ?? 'not made'] ?? 0) + 1
      return { faults, runs: runs.size, ended, extensions }
    },
    /** Jobs that have not ended. */
    liveJobs: (): number => [...jobs.values()].filter(status => !isEnded(status)).length,
  }
}

export type Model = ReturnType<typeof createModel>

/** Earlier runs of the same workflow that have started and not ended. */
const earlierThatWork = (runs: ReadonlyMap<string, ModelRun>, runId: string): readonly string[] => {
  const ids = [...runs.keys()]
  const { workflowId } = runs.get(runId)!
  return ids.slice(0, ids.indexOf(runId)).filter(id => {
    const other = runs.get(id)!
    return other.workflowId === workflowId && other.hasStarted && !isEndedRun(other.status)
  })
}

/** api.md, "Consecutive failures". */
const countFailure = (workflow: ModelWorkflow, { status, counts }: ModelRun): void => {
  if (!counts) return
  if (status === 'completed') workflow.failures = 0
  if (status !== 'failed') return
  workflow.failures += 1
  if (workflow.max !== null && workflow.failures >= workflow.max) workflow.state = 'terminated'
}

export const isEndedRun = (status: RunStatus | null): boolean =>
  status !== null && (ENDED_RUN_STATUSES as readonly RunStatus[]).includes(status)
