import { expect, test } from 'vitest'
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { ClaimedJob } from '../model/job.ts'
import { createAttemptClock } from './attempt-clock.ts'
import { createStopSignal } from './stop-signal.ts'

const TIMEOUT_MS = 100

/** A clock of an attempt; `answers` are the store's answers, one after the other. */
const begin = (answers: readonly (number | null | Error)[]) => {
  const stop = createStopSignal(systemClock)
  const asked: (string | null)[] = []
  const findTimeoutRestart = async (): Promise<number | null> => {
    const answer = answers[asked.length]!
    asked.push(stop.cause)
    if (answer instanceof Error) throw answer
    return answer
  }
  const job = { id: 'job', attempt: 1, timeoutMs: TIMEOUT_MS, graceMs: null } as ClaimedJob
  const clock = createAttemptClock({ job, stop, store: { findTimeoutRestart }, logger: silentLogger })
  clock.start()
  return { clock, asked, stopped: new Promise<unknown>(resolve => stop.onChange(() => resolve(stop.cause))) }
}

test('an attempt restarted through any server has its whole timeout again, every time', async () => {
  const { asked, stopped } = begin([0, TIMEOUT_MS / 2, null])
  expect(await stopped).toBe('timeout')
  expect(asked).toEqual([null, null, null])
})

test('a restart that was counted before does not extend the timeout again', async () => {
  const { asked, stopped } = begin([TIMEOUT_MS])
  expect(await stopped).toBe('timeout')
  expect(asked).toHaveLength(1)
})

test('an attempt that restarts its own clock has its whole timeout from then on', async () => {
  const { clock, stopped } = begin([null])
  const begun = performance.now()
  while (performance.now() - begun < TIMEOUT_MS * 0.9);
  clock.restart()
  const restarted = performance.now()
  await stopped
  expect(performance.now() - restarted).toBeGreaterThan(TIMEOUT_MS * 0.9)
})

test('an attempt still times out if the store cannot say whether it was restarted', async () => {
  expect(await begin([new Error('gone')]).stopped).toBe('timeout')
})
