import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lostAttemptEnd, toAttemptEnd } from './attempt-end.ts'
import type { Outcome, StopCause } from './outcome.ts'
import { SINGLE_JOB_RETRY, type Tries } from './retry.ts'

const first: Tries = { retry: SINGLE_JOB_RETRY, restartable: true, userFailures: 0, systemFailures: 0 }
const exit = { exitCode: 0, signal: null }
const completed: Outcome = { type: 'completed', exit }
const failed: Outcome = {
  type: 'failed',
  failure: 'user',
  reason: 'exit_code',
  message: 'exit code 3',
  exit: { exitCode: 3, signal: null },
}
const crashed: Outcome = { type: 'failed', failure: 'system', reason: 'launcher_lost', message: 'gone' }

test('a successful outcome completes the job', () => {
  expect(toAttemptEnd(completed, null, first)).toEqual({ type: 'complete', exit, statistics: null, result: null })
})

test('a user failure without a retry policy is final, and its exit is kept', () => {
  expect(toAttemptEnd(failed, null, first)).toMatchObject({ type: 'fail', reason: 'exit_code', exit: { exitCode: 3 } })
})

test('a user failure with attempts left waits for the next one', () => {
  const retry = { ...SINGLE_JOB_RETRY, maximumAttempts: 3, initialInterval: 100, backoffCoefficient: 3 }
  expect(toAttemptEnd(failed, null, { ...first, retry })).toMatchObject({ type: 'retry', delayMs: 100 })
  expect(toAttemptEnd(failed, null, { ...first, retry, userFailures: 1 })).toMatchObject({
    type: 'retry',
    delayMs: 300,
  })
  expect(toAttemptEnd(failed, null, { ...first, retry, userFailures: 2 })).toMatchObject({ type: 'fail' })
})

test('system failures have three attempts of their own, one and two seconds apart, and use up none of the user’s', () => {
  const tries = { ...first, retry: { ...SINGLE_JOB_RETRY, maximumAttempts: 2 } }
  expect(toAttemptEnd(crashed, null, tries)).toMatchObject({ type: 'retry', delayMs: 1000 })
  expect(toAttemptEnd(crashed, null, { ...tries, systemFailures: 1 })).toMatchObject({ type: 'retry', delayMs: 2000 })
  expect(toAttemptEnd(crashed, null, { ...tries, systemFailures: 2 })).toMatchObject({
    type: 'fail',
    reason: 'launcher_lost',
  })
  expect(toAttemptEnd(failed, null, { ...tries, systemFailures: 2 })).toMatchObject({ type: 'retry' })
})

test('restartable: false makes a system failure final', () => {
  expect(lostAttemptEnd({ ...first, restartable: false })).toMatchObject({ type: 'fail', reason: 'worker_lost' })
  expect(lostAttemptEnd(first)).toMatchObject({ type: 'retry', reason: 'worker_lost' })
})

test('a job for another server is released without using up an attempt, unless it was cancelled or its lease is lost', () => {
  expect(toAttemptEnd({ type: 'left' }, null, first)).toMatchObject({ type: 'release' })
  expect(toAttemptEnd({ type: 'left' }, 'timeout', first)).toMatchObject({ type: 'release' })
  expect(toAttemptEnd({ type: 'left' }, 'cancelled_by_user', first)).toMatchObject({ type: 'cancel' })
  expect(toAttemptEnd({ type: 'left' }, 'lease_lost', first)).toBeNull()
})

test('a timeout is a user failure however the attempt then ended', () => {
  expect(
    toAttemptEnd({ type: 'stopped', exit: { exitCode: null, signal: 'SIGTERM' } }, 'timeout', first),
  ).toMatchObject({ type: 'fail', reason: 'timeout' })
})

test('statistics of a failed attempt are kept, whether it is retried or not', () => {
  const statistics = { http_status: 503 }
  const retry = { ...SINGLE_JOB_RETRY, maximumAttempts: 2 }
  expect(toAttemptEnd({ ...failed, statistics }, null, first)).toMatchObject({ type: 'fail', statistics })
  expect(toAttemptEnd({ ...failed, statistics }, null, { ...first, retry })).toMatchObject({
    type: 'retry',
    statistics,
  })
  expect(toAttemptEnd({ type: 'stopped', statistics }, 'timeout', first)).toMatchObject({ type: 'fail', statistics })
})

test('a shutdown releases a job unless it has completed', () => {
  expect(toAttemptEnd({ type: 'stopped' }, 'shutdown', first)).toMatchObject({ type: 'release' })
  expect(toAttemptEnd(failed, 'shutdown', first)).toMatchObject({ type: 'release' })
  expect(toAttemptEnd(completed, 'shutdown', first)).toMatchObject({ type: 'complete' })
})

const outcomes = fc.constantFrom<Outcome>(completed, failed, crashed, { type: 'stopped' })

test('invariant 2: nothing is written once the lease is lost; and a cancelled job is cancelled, whatever its outcome', () => {
  const causes = fc.constantFrom<StopCause>('cancelled_by_user', 'run_terminated', 'lease_lost')
  fc.assert(
    fc.property(outcomes, causes, (outcome, cause) => {
      const end = toAttemptEnd(outcome, cause, first)
      expect(end?.type ?? null).toBe(cause === 'lease_lost' ? null : 'cancel')
    }),
  )
})
