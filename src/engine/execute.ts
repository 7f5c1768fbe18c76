import type { Executor } from '../executors/executor.ts'
import { toAttemptEnd } from '../model/attempt-end.ts'
import type { ClaimedJob } from '../model/job.ts'
import { GIVE_UP_MS, leaseOf } from '../model/lease.ts'
import { failed, type Outcome } from '../model/outcome.ts'
import { storageFailure } from '../model/storage-failure.ts'
import { Attempt, type AttemptDependencies } from './attempt.ts'
import type { Completer } from './complete.ts'
import type { RunningJobs } from './running-jobs.ts'
import type { Slot } from './slots.ts'
import { createStopSignal, type StopSwitch } from './stop-signal.ts'

export type ExecuteDependencies = AttemptDependencies & {
  readonly completer: Completer
  readonly running: RunningJobs
  readonly executors: readonly Executor[]
}

/** Runs one claimed job until its end is stored. Never rejects. */
export const createExecute = (dependencies: ExecuteDependencies) => {
  const { clock, logger, running } = dependencies
  const byKind = new Map(dependencies.executors.map(executor => [executor.kind, executor]))

  return async (job: ClaimedJob, leaseSentAt: number, slot: Slot): Promise<void> => {
    const started = { job, stop: createStopSignal(clock), leaseSentAt, slot }
    running.add(started)
    // After a claim answered this late, because this process was frozen or the database slow, the job must not start: another worker may have it.
    if (clock.monotonic() - leaseSentAt > GIVE_UP_MS) started.stop.stop('lease_lost', 0)
    try {
      const attempt = new Attempt(dependencies, started)
      const outcome = await run(attempt, byKind.get(job.kind)!)
      await finish(dependencies, attempt, outcome)
    } catch (error) {
      logger.error({ err: error, job_id: job.id }, 'an attempt failed in the server itself')
      await giveUp(dependencies, started, error)
    } finally {
      running.remove(started)
    }
  }
}

const run = async (attempt: Attempt, executor: Executor): Promise<Outcome> => {
  if (attempt.stop.cause !== null) return STOPPED
  attempt.startClock()
  try {
    if ((await executor.enter?.()) === false) return LEFT
    return await executor.run(attempt.job, attempt)
  } catch (error) {
    const failure = storageFailure(error)
    if (failure !== null) {
      attempt.logger.warn({ err: error, job_id: attempt.job.id }, 'what a job made could not be kept')
      return failure
    }
    attempt.logger.error({ err: error, job_id: attempt.job.id }, 'an executor crashed')
    return crashed(error)
  } finally {
    attempt.stopClock()
  }
}

/** With this many ends waiting for the store, slots are no longer released early: otherwise a slow store would get ever more work. */
const MOST_ENDING = 4096

const finish = async (
  { completer, logger }: ExecuteDependencies,
  attempt: Attempt,
  outcome: Outcome,
): Promise<void> => {
  const { job, lease, stop } = attempt
  const { log, fault } = await attempt.finish()
  if (fault !== null)
    logger.warn({ err: fault, job_id: job.id }, 'the log of an attempt could not be written to its end')
  // What was logged before the failure is kept, but an attempt whose log is incomplete did not complete.
  const told = outcome.type === 'completed' && fault !== null ? (storageFailure(fault) ?? crashed(fault)) : outcome
  const end = toAttemptEnd(maskMessage(told, attempt), stop.cause, job)
  if (end !== null) {
    const ending = completer.end({ lease, end, log })
    // The work is done, so free the slot: the next claim goes to the store together with this end and shares its commit.
    if (completer.size < MOST_ENDING) attempt.slot.release()
    const result = await ending
    if (!result.applied)
      logger.warn({ job_id: job.id, attempt: job.attempt }, 'an attempt ended after its lease was lost')
  }
  await attempt.dispose(end)
}

const maskMessage = (outcome: Outcome, attempt: Attempt): Outcome =>
  outcome.type === 'failed' ? { ...outcome, message: attempt.mask(outcome.message) } : outcome

type Started = { readonly job: ClaimedJob; readonly stop: StopSwitch }

/** Ends an attempt that the server could not run at all (for example because of a wrong secret key). */
const giveUp = async ({ completer }: ExecuteDependencies, { job, stop }: Started, error: unknown): Promise<void> => {
  const end = toAttemptEnd(crashed(error), stop.cause, job)
  if (end !== null) await completer.end({ lease: leaseOf(job), end, log: [] })
}

const LEFT: Outcome = Object.freeze({ type: 'left' })
const STOPPED: Outcome = Object.freeze({ type: 'stopped' })

const crashed = (error: unknown): Outcome => failed('executor_crashed', (error as Error).message)
