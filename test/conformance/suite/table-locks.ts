import { expect, test } from 'vitest'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { TableHolder } from '../../../src/store/data-store.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, leaseOf, NO_EXIT, retryIn, WORKSPACE } from './scene.ts'

export const tableLockTests: AreaTests = scene => {
  const lock = (holder: TableHolder, tables: readonly string[], workspace = WORKSPACE) =>
    scene().store.lockTables({ workspace, tables, holder })
  const unlock = (holder: TableHolder, workspace = WORKSPACE) => scene().store.unlockTables({ workspace, holder })
  const call = (callId: string, heldMs = 1000): TableHolder => ({ callId, heldMs })
  const start = async (key = 'key') => {
    const job = await scene().start({ exclusiveKey: key })
    return { job, holder: { lease: leaseOf(job) } }
  }
  const LOCKED = { type: 'locked' }
  const busy = (table: string, jobId: string | null) => ({ type: 'busy', table, jobId })

  test('all tables are locked or none', async () => {
    const { job, holder } = await start()
    expect(await lock(holder, ['b', 'a'])).toEqual(LOCKED)
    expect(await lock(call('1'), ['c', 'b', 'a'])).toEqual(busy('a', job.id))
    expect(await lock(call('2'), ['c'])).toEqual(LOCKED)
    expect(await lock(call('3'), ['c'])).toEqual(busy('c', null))
  })

  test('a holder may lock its tables again, and others in addition', async () => {
    const { job, holder } = await start()
    expect(await lock(holder, ['a', 'a'])).toEqual(LOCKED)
    expect(await lock(holder, ['a', 'b'])).toEqual(LOCKED)
    expect(await lock(call('1'), ['x'])).toEqual(LOCKED)
    expect(await lock(call('1'), ['x', 'y'])).toEqual(LOCKED)
    expect(await lock(call('1'), ['z', 'b'])).toEqual(busy('b', job.id))
    expect(await lock(holder, ['b', 'y'])).toEqual(busy('y', null))
  })

  test('tables listed in `unless` must be free, but are not locked', async () => {
    const { job, holder } = await start()
    const lockUnless = (who: TableHolder, tables: readonly string[], unless: readonly string[]) =>
      scene().store.lockTables({ workspace: WORKSPACE, tables, unless, holder: who })
    await lock(call('1'), ['b'])
    expect(await lockUnless(holder, ['a'], ['c', 'b'])).toEqual(busy('b', null))
    expect(await lock(call('2'), ['a'])).toEqual(LOCKED)
    expect(await lockUnless(holder, ['c'], ['d'])).toEqual(LOCKED)
    expect(await lockUnless(holder, ['d'], ['c'])).toEqual(LOCKED)
    expect(await lockUnless(call('3'), ['e'], ['d'])).toEqual(busy('d', job.id))
    await unlock(call('1'))
    expect(await lockUnless(holder, ['e'], ['b'])).toEqual(LOCKED)
    expect(await lock(call('3'), ['b'])).toEqual(LOCKED)
  })

  test('a call keeps its tables until it unlocks them or its time is over', async () => {
    await lock(call('1', 500), ['a', 'b'])
    await lock(call('2', 700), ['c'])
    await unlock(call('1'))
    expect(await lock(call('3', 300), ['a', 'b'])).toEqual(LOCKED)
    expect(await lock(call('4'), ['c'])).toEqual(busy('c', null))
    scene().clock.advance(299)
    expect(await lock(call('4'), ['a'])).toEqual(busy('a', null))
    scene().clock.advance(1)
    expect(await lock(call('4'), ['a', 'b'])).toEqual(LOCKED)
    expect(await lock(call('4'), ['c'])).toEqual(busy('c', null))
    scene().clock.advance(400)
    expect(await lock(call('4'), ['c'])).toEqual(LOCKED)
  })

  test('a clock that is set back does not extend a lock', async () => {
    await lock(call('1', 1000), ['a'])
    scene().clock.advance(-3_600_000)
    expect(await lock(call('2'), ['a'])).toEqual(LOCKED)
  })

  test('unlocking releases all tables of one holder and nobody else’s', async () => {
    const { job, holder } = await start()
    await lock(holder, ['a', 'b'])
    await lock(call('1'), ['c'])
    await unlock(call('2'))
    await unlock({ lease: { ...holder.lease, attempt: 2 } })
    await unlock(holder, 'other')
    expect(await lock(call('2'), ['b'])).toEqual(busy('b', job.id))
    await unlock(holder)
    expect(await lock(call('2'), ['a', 'b'])).toEqual(LOCKED)
    expect(await lock(call('2'), ['c'])).toEqual(busy('c', null))
  })

  test('tables are free however an attempt ends', async () => {
    const ends = [COMPLETE, failure(), retryIn(3_600_000), { type: 'release', exit: NO_EXIT }] as const
    for (const [index, end] of ends.entries()) {
      const { job, holder } = await start(`key ${index}`)
      expect(await lock(holder, ['a', 'b'])).toEqual(LOCKED)
      expect(await lock(call('1'), ['a'])).toEqual(busy('a', job.id))
      await scene().end(job, end)
      expect(await lock(call('1'), ['a', 'b'])).toEqual(LOCKED)
      await unlock(call('1'))
    }
  })

  test('a cancelling job keeps its tables until it has ended', async () => {
    const { job, holder } = await start()
    await lock(holder, ['a'])
    await scene().cancel(job.id)
    expect(await lock(call('1'), ['a'])).toEqual(busy('a', job.id))
    expect(await lock(holder, ['b'])).toEqual(LOCKED)
    await scene().end(job, { type: 'cancel', exit: NO_EXIT })
    expect(await lock(call('1'), ['a', 'b'])).toEqual(LOCKED)
  })

  test('a lost attempt keeps its tables until it is rescued, then the next attempt can lock them', async () => {
    const { job, holder } = await start()
    await lock(holder, ['a'])
    scene().clock.advance(LEASE_MS)
    expect(await lock(call('1'), ['a'])).toEqual(busy('a', job.id))
    const [lost] = await scene().lost()
    await scene().end({ ...job, ...lost!.lease }, retryIn(0, { failure: 'system', reason: 'worker_lost' }))
    await scene().store.promoteDueJobs({ limit: 1 })
    const next = { lease: leaseOf(await scene().claimOne()) }
    expect(await lock(next, ['a'])).toEqual(LOCKED)
    expect(await lock(holder, ['b'])).toEqual({ type: 'lost' })
    await unlock(holder)
    expect(await lock(call('1'), ['a'])).toEqual(busy('a', job.id))
  })

  test('invariant 2: without a live attempt nothing is locked', async () => {
    const { job, holder } = await start()
    const { lease } = holder
    const wrong = [
      { ...lease, attempt: 2 },
      { ...lease, leaseToken: 'token' },
      { ...lease, jobId: 'unknown' },
    ]
    for (const lease of wrong) expect(await lock({ lease }, ['a'])).toEqual({ type: 'lost' })
    expect(await lock(holder, ['a'], 'other')).toEqual({ type: 'lost' })
    await scene().end(job)
    expect(await lock(holder, ['a'])).toEqual({ type: 'lost' })
    expect(await lock(call('1'), ['a'])).toEqual(LOCKED)
  })

  test('invariant 11: tables of one name in two workspaces are two tables', async () => {
    expect(await lock(call('1'), ['a'])).toEqual(LOCKED)
    expect(await lock(call('2'), ['a'], 'other')).toEqual(LOCKED)
    await unlock(call('2'), 'other')
    expect(await lock(call('3'), ['a'])).toEqual(busy('a', null))
  })

  test('of several that lock overlapping tables at once one gets all of them and the others none', async () => {
    const { job, holder } = await start()
    const wanted: readonly (readonly [TableHolder, readonly string[]])[] = [
      [holder, ['a', 'b', 'c']],
      [call('1'), ['c', 'b', 'only 1']],
      [call('2'), ['b', 'a', 'only 2']],
    ]
    for (let round = 0; round < 10; round++) {
      const outcomes = await Promise.all(wanted.map(([holder, tables]) => lock(holder, tables)))
      expect(outcomes.filter(({ type }) => type === 'locked')).toHaveLength(1)
      const winner = outcomes.findIndex(({ type }) => type === 'locked')
      const by = winner === 0 ? job.id : null
      for (const table of wanted[winner]![1]) expect(await lock(call('3'), [table])).toEqual(busy(table, by))
      const free = ['a', 'b', 'c', 'only 1', 'only 2'].filter(table => !wanted[winner]![1].includes(table))
      expect(await lock(call('3'), free)).toEqual(LOCKED)
      await unlock(call('3'))
      await unlock(wanted[winner]![0])
    }
  })

  test('locking a table and changing the catalogue at once: the second sees the first', async () => {
    for (let version = 0; version < 10; version++) {
      const [locked, changed] = await Promise.all([
        lock(call('1'), ['a']),
        scene().store.changeCatalogue({ workspace: WORKSPACE, version, changes: [], unlessLocked: ['a'] }),
      ])
      expect(locked).toEqual(LOCKED)
      expect([version, version + 1]).toContain((await scene().store.readCatalogue({ workspace: WORKSPACE }))!.version)
      if (changed.type === 'locked') {
        await unlock(call('1'))
        await scene().store.changeCatalogue({ workspace: WORKSPACE, version, changes: [], unlessLocked: ['a'] })
      } else expect(changed).toEqual({ type: 'changed', version: version + 1 })
      await unlock(call('1'))
    }
  })

  test('locks of attempts survive reopening', async () => {
    const { job, holder } = await start()
    await lock(holder, ['a'])
    await scene().reopen()
    expect(await lock(call('1'), ['a'])).toEqual(busy('a', job.id))
    expect(await lock(holder, ['a', 'c'])).toEqual(LOCKED)
  })

  test('locks of calls survive a restart only if other servers share the database', async () => {
    await lock(call('1'), ['a'])
    await scene().reopen()
    expect(await lock(call('2'), ['a'])).toEqual(scene().isShared ? busy('a', null) : LOCKED)
  })
}
