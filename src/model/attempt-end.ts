import { ERRORS, type FailureClass, type FailureReason } from '../kernel/errors.ts'
import type { AttemptEnd, Exit, Outcome, Statistics, StopCause } from './outcome.ts'
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
  if (cause === 'timeout')
    return failure({ reason: 'timeout', class: 'user', message: ERRORS.timeout.title, exit, statistics, tries })
  if (outcome.type === 'stopped')
    return failure({
      reason: 'executor_crashed',
      class: 'system',
      message: 'The attempt stopped without being told to.',
      exit,
      statistics,
      tries,
    })
  const { reason, failure: failureClass, message } = outcome
  return failure({ reason, class: failureClass, message, exit, statistics, tries })
}

/** How an attempt ends whose worker is lost. */
export const lostAttemptEnd = (tries: Tries): AttemptEnd =>
  failure({
    reason: 'worker_lost',
    class: 'system',
    message: ERRORS.worker_lost.title,
    exit: NO_EXIT,
    statistics: null,
    tries,
  })

type Failure = {
  readonly reason: FailureReason
  readonly class: FailureClass
  readonly message: string
  readonly exit: Exit
  readonly statistics: Statistics | null
  readonly tries: Tries
}

const failure = ({ reason, class: failureClass, message, exit, statistics, tries }: Failure): AttemptEnd => {
  const delayMs = nextTry(tries, failureClass)
  const told = { reason, failure: failureClass, message, exit, statistics } as const
  return delayMs === null ? { type: 'fail', ...told } : { type: 'retry', ...told, delayMs }
}
