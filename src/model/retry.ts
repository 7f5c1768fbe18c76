import type { FailureClass } from '../kernel/errors.ts'

/** When a user failure is retried (Intuned Jobs document; `api.md`, Tries). Intervals are in milliseconds. */
export type RetryPolicy = {
  /** Total tries, including the first; at least 1. */
  readonly maximumAttempts: number
  readonly initialInterval: number
  readonly backoffCoefficient: number
  /** null: no maximum. */
  readonly maximumInterval: number | null
}

export const SINGLE_JOB_RETRY: RetryPolicy = Object.freeze({
  maximumAttempts: 1,
  initialInterval: 0,
  backoffCoefficient: 1,
  maximumInterval: null,
})

/** Default for items of a run (Intuned document): three tries without delay. */
export const ITEM_RETRY: RetryPolicy = Object.freeze({ ...SINGLE_JOB_RETRY, maximumAttempts: 3 })

/** System failures: three tries in total, with waits of one and two seconds. */
const SYSTEM_RETRY: RetryPolicy = Object.freeze({
  maximumAttempts: 3,
  initialInterval: 1000,
  backoffCoefficient: 2,
  maximumInterval: null,
})

/** The longest wait; keeps times within the range of both databases. */
const LONGEST_WAIT = 366 * 24 * 3600 * 1000

/** The wait before try `failures + 1`, in ms: `min(initial × coefficient^i, maximum)`, `i` from 0. */
export const backoff = (policy: RetryPolicy, failures: number): number =>
  Math.min(
    policy.initialInterval * policy.backoffCoefficient ** (failures - 1),
    policy.maximumInterval ?? LONGEST_WAIT,
    LONGEST_WAIT,
  )

/** A job's failures so far, and what its author allows. */
export type Tries = {
  readonly retry: RetryPolicy
  readonly restartable: boolean
  /** Failures of each class so far, without the one being decided. */
  readonly userFailures: number
  readonly systemFailures: number
}

/** After a failed attempt: the milliseconds to wait before the next one; null if it was the last. */
export const nextTry = (tries: Tries, failure: FailureClass): number | null => {
  if (failure === 'system' && !tries.restartable) return null
  const policy = failure === 'system' ? SYSTEM_RETRY : tries.retry
  const failures = (failure === 'system' ? tries.systemFailures : tries.userFailures) + 1
  return failures >= policy.maximumAttempts ? null : backoff(policy, failures)
}
