import { type AttemptEnd, type Exit, type Failed, failed, type Outcome, type StopCause } from './outcome.ts'
import { nextTry, type Tries } from './retry.ts'

const NO_EXIT: Exit = Object.freeze({ exitCode: null, signal: null })

/**
 * How an attempt ends, given the executor's outcome and the cause for which it was told to stop. The first cause wins over the outcome, with two exceptions:
 * work that completed before it noticed a timeout or a shutdown is complete, and published rows always are. null: the lease is lost, and nothing may be
 * written.
 */
export const toAttemptEnd = (outcome: Outcome, cause: StopCause | null, tries: Tries): AttemptEnd | null => {
  const { exit = NO_EXIT, statistics = null } = outcome
  if (cause === 'lease_lost') return null
  const isCancelled = cause === 'cancelled_by_user' || cause === 'run_terminated'
  if (isCancelled && !(outcome.type === 'completed' && outcome.isPublished)) return { type: 'cancel', exit }
  if (outcome.type === 'completed') return { type: 'complete', exit, statistics, result: outcome.result ?? null }
  if (cause === 'shutdown' || outcome.type === 'left') return { type: 'release', exit }
  const failure = cause === 'timeout' ? failed('timeout') : outcome.type === 'stopped' ? UNASKED : outcome
  return failedEnd({ ...outcome, ...failure }, tries)
}

const UNASKED = failed('executor_crashed', 'The attempt stopped without being told to.')

/** How an attempt ends whose worker is lost. */
export const lostAttemptEnd = (tries: Tries): AttemptEnd => failedEnd(failed('worker_lost'), tries)

const failedEnd = ({ reason, failure, message, exit = NO_EXIT, statistics }: Failed, tries: Tries): AttemptEnd => {
  const delayMs = nextTry(tries, failure)
  const told = { reason, failure, message, exit, statistics: statistics ?? null }
  return delayMs === null ? { type: 'fail', ...told } : { type: 'retry', ...told, delayMs }
}
