import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withDeadline } from './deadline.ts'

const run = async (work: (signal: AbortSignal) => Promise<string>) => {
  const [begun, cancelled] = [[] as string[], [] as string[]]
  const cancel = async (queryId: string): Promise<void> => void cancelled.push(queryId)
  const done = withDeadline({
    deadlineMs: 50,
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

test('one that has not is cancelled, and who waits is told', async () => {
  const { begun, cancelled, done } = await run(
    signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  await expect(done).rejects.toMatchObject({ reason: 'sql_error', message: expect.stringContaining('make it simpler') })
  expect(cancelled).toEqual(begun)
})
