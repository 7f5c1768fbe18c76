import type { FailureClass } from '../kernel/errors.ts'

/** When a user failure is tried again (document of Intuned Jobs; `api.md`, Tries). Intervals in milliseconds. */
export type RetryPolicy = {
  /** Tries in all, the first included; at least 1. */
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

/** Items of a run, unless the workflow or the item says otherwise (document of Intuned): three tries, without delay. */
export const ITEM_RETRY: RetryPolicy = Object.freeze({ ...SINGLE_JOB_RETRY, maximumAttempts: 3 })

/** System failures: three tries in all, waits of one and two seconds. */
const SYSTEM_RETRY: RetryPolicy = Object.freeze({
  maximumAttempts: 3,
  initialInterval: 1000,
  backoffCoefficient: 2,
  maximumInterval: null,
})

/** No wait is longer than this; it keeps times within what both databases store. */
const LONGEST_WAIT = 366 * 24 * 3600 * 1000

/** The wait before try `failures + 1`, in ms: `min(initial × coefficient^i, maximum)`, `i` from 0. */
export const backoff = (policy: RetryPolicy, failures: number): number =>
  Math.min(
    policy.initialInterval * policy.backoffCoefficient ** (failures - 1),
    policy.maximumInterval ?? LONGEST_WAIT,
    LONGEST_WAIT,
  )

/** What a job has behind it and what its author allows. */
export type Tries = {
  readonly retry: RetryPolicy
  readonly restartable: boolean
  /** Failures of each class before the one being decided. */
  readonly userFailures: number
  readonly systemFailures: number
}

/** After a failed attempt: `null` when it was the last, else the milliseconds to wait before the next. */
export const nextTry = (tries: Tries, failure: FailureClass): number | null => {
  if (failure === 'system' && !tries.restartable) return null
  const policy = failure === 'system' ? SYSTEM_RETRY : tries.retry
  const failures = (failure === 'system' ? tries.systemFailures : tries.userFailures) + 1
  return failures >= policy.maximumAttempts ? null : backoff(policy, failures)
}
