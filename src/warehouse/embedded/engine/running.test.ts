import { expect, onTestFinished, test } from 'vitest'
import { createRunning } from './running.ts'

test('a session that cannot be opened for a check is retried, and ends nothing', async () => {
  let tries = 0
  const take = () => {
    tries++
    throw new Error('chDB has no memory for a connection')
  }
  const running = createRunning({
    sessions: { start: async () => '', take, refill: () => {} },
    killGraceMs: 60_000,
    idleMs: 60_000,
    onIdle: () => {},
    onStuck: () => {},
  })
  running.add('one')
  onTestFinished(() => running.remove('one'))
  await expect.poll(() => tries).toBeGreaterThan(1)
  expect(running.seen('one')).toEqual({ rows: 0, bytes: 0 })
})
