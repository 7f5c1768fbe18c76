import { expect, test } from 'vitest'
import { lockTables } from '../../../src/data/write/lock-tables.ts'
import type { ClaimedJob } from '../../../src/model/job.ts'
import type { AreaTests } from '../store-suite.ts'
import { leaseOf, WORKSPACE } from './scene.ts'

/** How attempts wait for tables, with real locks; the tests set how long they have waited. */
export const turnTests: AreaTests = scene => {
  const waiter = async (name: string) => {
    const job: ClaimedJob = await scene().start({ exclusiveKey: name })
    const seen: { waited: number; message: string | null; isLocked: boolean } = {
      waited: 0,
      message: null,
      isLocked: false,
    }
    const lock = async (tables: readonly string[]): Promise<void> => {
      const answer = await lockTables({
        store: scene().store,
        job,
        tables,
        signal: new AbortController().signal,
        onWait: message => {
          seen.message = message
        },
        lendSlot: wait => wait(),
        clock: { monotonic: () => seen.waited },
      })
      seen.isLocked = answer === 'locked'
    }
    const unlock = () => scene().store.unlockTables({ workspace: WORKSPACE, holder: { lease: leaseOf(job) } })
    return { job, seen, lock, unlock }
  }

  const hasTurn = (table: string): Promise<void> =>
    expect
      .poll(
        async () => {
          const lock = { workspace: WORKSPACE, holder: { callId: 'look', heldMs: 1 } }
          const answer = await scene().store.lockTables({ ...lock, tables: [`c__turn ${table}`] })
          await scene().store.unlockTables(lock)
          return answer.type
        },
        { timeout: 10_000 },
      )
      .toBe('busy')

  test('an attempt that has waited long for several tables gets a turn, in which nobody else starts on them', async () => {
    const [first, second, long] = [await waiter('a'), await waiter('b'), await waiter('c')]
    await first.lock(['t1'])
    const longLock = long.lock(['t1', 't2'])
    await expect.poll(() => long.seen.message).toBe(`waits for job ${first.job.id}, which writes t1`)
    // Until then others may lock what it cannot use.
    await second.lock(['t2'])
    await second.unlock()
    long.seen.waited = 10_000
    await hasTurn('t2')
    const secondLock = second.lock(['t2'])
    await expect.poll(() => second.seen.message).toBe('waits for a job that has waited longer for t2')
    await first.unlock()
    await longLock
    expect(long.seen).toMatchObject({ isLocked: true, message: null })
    await expect
      .poll(() => second.seen.message, { timeout: 10_000 })
      .toBe(`waits for job ${long.job.id}, which writes t2`)
    await long.unlock()
    await secondLock
    expect(second.seen).toMatchObject({ isLocked: true, message: null })
  }, 30_000)

  test('a turn ends after a while, and with its worker', async () => {
    const [first, second, long] = [await waiter('a'), await waiter('b'), await waiter('c')]
    await first.lock(['t1'])
    const longLock = long.lock(['t1', 't2'])
    await expect.poll(() => long.seen.message).not.toBeNull()
    long.seen.waited = 10_000
    await hasTurn('t2')
    const secondLock = second.lock(['t2'])
    await expect.poll(() => second.seen.message).toBe('waits for a job that has waited longer for t2')
    long.seen.waited = 20_000
    // No longer renewed, as if its worker is gone.
    scene().clock.advance(5_000)
    await secondLock
    expect(second.seen.isLocked).toBe(true)
    await second.unlock()
    await first.unlock()
    await longLock
    expect(long.seen.isLocked).toBe(true)
  }, 30_000)
}
