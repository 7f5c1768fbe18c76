import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoff, nextTry, type RetryPolicy, SINGLE_JOB_RETRY, type Tries } from './retry.ts'

const policies: fc.Arbitrary<RetryPolicy> = fc.record({
  maximumAttempts: fc.integer({ min: 1, max: 100 }),
  initialInterval: fc.nat({ max: 86_400_000 }),
  backoffCoefficient: fc.double({ min: 1, max: 10, noNaN: true }),
  maximumInterval: fc.option(fc.nat({ max: 86_400_000 })),
})

const fresh = (overrides: Partial<Tries> = {}): Tries => ({
  retry: SINGLE_JOB_RETRY,
  restartable: true,
  userFailures: 0,
  systemFailures: 0,
  ...overrides,
})

/** Every wait between the tries of a job that always fails. */
const waitsOf = (tries: Tries, failure: 'user' | 'system'): number[] => {
  const waits: number[] = []
  for (let failures = 0; ; failures++) {
    const wait = nextTry({ ...tries, [`${failure}Failures`]: failures }, failure)
    if (wait === null) return waits
    waits.push(wait)
  }
}

test('a job that always fails is tried exactly as often as its policy says', () => {
  fc.assert(
    fc.property(policies, retry => {
      expect(waitsOf(fresh({ retry }), 'user')).toHaveLength(retry.maximumAttempts - 1)
    }),
  )
})

test('waits grow by the coefficient from the first interval, up to the longest', () => {
  fc.assert(
    fc.property(policies, retry => {
      const waits = waitsOf(fresh({ retry }), 'user')
      for (const [index, wait] of waits.entries()) {
        expect(wait).toBeGreaterThanOrEqual(index === 0 ? 0 : waits[index - 1]!)
        expect(wait).toBeLessThanOrEqual(retry.maximumInterval ?? Number.MAX_SAFE_INTEGER)
        expect(Number.isFinite(wait)).toBe(true)
      }
      if (waits.length > 0) expect(waits[0]).toBe(Math.min(retry.initialInterval, retry.maximumInterval ?? Infinity))
    }),
  )
})

test('a wait is min(initial × coefficient^i, maximum), i from 0', () => {
  const policy = { maximumAttempts: 9, initialInterval: 100, backoffCoefficient: 2, maximumInterval: 500 }
  expect([1, 2, 3, 4, 5].map(failures => backoff(policy, failures))).toEqual([100, 200, 400, 500, 500])
})

test('without a maximum a wait is still limited to what the databases can store', () => {
  const policy = { maximumAttempts: 2000, initialInterval: 1000, backoffCoefficient: 10, maximumInterval: null }
  expect(backoff(policy, 1999)).toBe(366 * 24 * 3600 * 1000)
})

test('system failures are tried three times in total, after one and two seconds, whatever the policy', () => {
  fc.assert(
    fc.property(policies, fc.nat(), (retry, userFailures) => {
      expect(waitsOf(fresh({ retry, userFailures }), 'system')).toEqual([1000, 2000])
    }),
  )
})

test('system failures use up none of the user’s attempts', () => {
  fc.assert(
    fc.property(policies, fc.nat({ max: 10 }), (retry, systemFailures) => {
      expect(waitsOf(fresh({ retry, systemFailures }), 'user')).toEqual(waitsOf(fresh({ retry }), 'user'))
    }),
  )
})

test('a job that must not be restarted is not retried after a system failure, but follows its policy after its own', () => {
  const retry = { ...SINGLE_JOB_RETRY, maximumAttempts: 2 }
  expect(nextTry(fresh({ retry, restartable: false }), 'system')).toBeNull()
  expect(nextTry(fresh({ retry, restartable: false }), 'user')).toBe(0)
})

test('a single job has one attempt', () => {
  expect(nextTry(fresh(), 'user')).toBeNull()
})
