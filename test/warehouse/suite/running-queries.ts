import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { AreaTests } from './scene.ts'

export const runningQueryTests: AreaTests = scene => {
  const FOR_EVER = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1'

  const untilSeen = async (queryId: string): Promise<void> => {
    await expect.poll(() => scene().progress(queryId), { timeout: 20_000 }).not.toBeNull()
  }

  const untilGone = async (queryId: string): Promise<void> => {
    await expect.poll(() => scene().progress(queryId), { timeout: 20_000 }).toBeNull()
  }

  test('reports its progress, and can be cancelled', async () => {
    const queryId = newId()
    const end = scene().refusal({ sql: FOR_EVER, queryId })
    await untilSeen(queryId)
    await expect
      .poll(async () => (await scene().progress(queryId))?.rowsRead, {
        timeout: 20_000,
      })
      .toBeGreaterThan(0)
    await scene().cancel(queryId)
    expect((await end).reason).toBe('cancelled')
    await untilGone(queryId)
  })

  test('ends when its signal is aborted', async () => {
    const stop = new AbortController()
    const queryId = newId()
    const end = scene().refusal({ sql: FOR_EVER, queryId, signal: stop.signal })
    await untilSeen(queryId)
    stop.abort()
    expect((await end).reason).toBe('cancelled')
    await untilGone(queryId)
  })

  test('ends when its result is abandoned', async () => {
    const queryId = newId()
    const { content, summary } = await scene().start({ sql: 'SELECT * FROM numbers(1000000000000)', queryId })
    for await (const part of content) if (part.length > 0) break
    await expect(summary).rejects.toThrow()
    await untilGone(queryId)
  })

  test('that has ended can be cancelled without an error, and has no progress', async () => {
    await scene().cancel(newId())
    expect(await scene().progress(newId())).toBeNull()
  })
}
