import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withDeadline } from './deadline.ts'

const run = async (work: (signal: AbortSignal) => Promise<string>, heed: () => Promise<void> = async () => {}) => {
  const [begun, cancelled] = [[] as string[], [] as string[]]
  const cancel = (queryId: string): Promise<void> => {
    cancelled.push(queryId)
    return heed()
  }
  const done = withDeadline({
    deadlineMs: 50,
    heedsMs: 50,
    cancel,
    work: ({ queryId, signal }) => {
      begun.push(queryId)
      return work(signal)
    },
  })
  return { begun, cancelled, done }
}

test('a statement that has ended in time is not cancelled at the deadline', async () => {
  const { cancelled, done } = await run(async () => 'understood')
  expect(await done).toBe('understood')
  await sleep(100)
  expect(cancelled).toEqual([])
})

const untilAborted = (signal: AbortSignal) =>
  new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

test('a statement that has not ended by the deadline is cancelled and rejects', async () => {
  const { begun, cancelled, done } = await run(untilAborted)
  await expect(done).rejects.toMatchObject({ reason: 'sql_error', message: expect.stringContaining('make it simpler') })
  expect(cancelled).toEqual(begun)
})

test.each([
  ['hears nothing', () => new Promise<void>(() => {})],
  ['has gone', () => Promise.reject(new Error('no connection'))],
])('an engine that %s by then is blamed instead of the SQL', async (_, heed) => {
  const { done } = await run(untilAborted, heed)
  await expect(done).rejects.toMatchObject({ reason: 'engine_unavailable' })
})
