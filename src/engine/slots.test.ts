import { describe, expect, test } from 'vitest'
import { createSlots, type Slot } from './slots.ts'

const NEVER = new AbortController().signal

const openLane = (size: number) => {
  const lane = { wakes: 0 }
  const slots = createSlots({
    size,
    onFree: () => {
      lane.wakes += 1
    },
  })
  /** As many of `jobs` new ones as get a slot. */
  const begin = (jobs = 1): readonly Slot[] => {
    const reserved = slots.reserve()
    const begun = Array.from({ length: Math.min(jobs, reserved.size) }, () => reserved.use())
    reserved.end()
    return begun
  }
  const free = (): number => {
    const reserved = slots.reserve()
    reserved.end()
    return reserved.size
  }
  return { lane, slots, begin, free }
}

/** An attempt that waits until `go`; `isBack` once it has its slot again or was told to stop. */
const lend = (slot: Slot, signal = NEVER) => {
  const { promise, resolve: go } = Promise.withResolvers<void>()
  const waiting = { go, isBack: false, ended: Promise.resolve() }
  waiting.ended = slot
    .lend(() => promise, signal)
    .then(() => {
      waiting.isBack = true
    })
  return waiting
}

const settle = () => new Promise(resolve => setImmediate(resolve))

describe('slots', () => {
  test('are given to as many jobs as there are slots, and returned once', () => {
    const { begin, free, lane } = openLane(2)
    const [first] = begin(5)
    expect(free()).toBe(0)
    first!.release()
    first!.release()
    expect([free(), lane.wakes]).toEqual([1, 1])
  })

  test('can all be given to one claim, whatever their number', () => {
    const { begin, free } = openLane(2000)
    expect(free()).toBe(2000)
    expect(begin(2000)).toHaveLength(2000)
    expect(free()).toBe(0)
  })

  test('reserved by a claim belong to nobody else until it returns them', async () => {
    const { begin, slots } = openLane(2)
    const [first] = begin(1)
    const waiting = lend(first!)
    const claiming = slots.reserve()
    expect(claiming.size).toBe(2)
    waiting.go()
    await settle()
    expect(waiting.isBack).toBe(false)
    claiming.use()
    claiming.end()
    await waiting.ended
    expect(waiting.isBack).toBe(true)
  })

  test('that are lent go to new jobs, and are taken back before any other new job', async () => {
    const { begin, free } = openLane(1)
    const [first] = begin()
    const waiting = lend(first!)
    const [second] = begin()
    expect(free()).toBe(0)
    waiting.go()
    await settle()
    expect(waiting.isBack).toBe(false)
    second!.release()
    await waiting.ended
    expect([waiting.isBack, free()]).toEqual([true, 0])
    first!.release()
    expect(free()).toBe(1)
  })

  test('are taken back in the order in which they are wanted', async () => {
    const { begin } = openLane(1)
    const order: number[] = []
    const waiting = [0, 1, 2].map(() => lend(begin()[0]!))
    const [worker] = begin()
    for (const index of [2, 0, 1]) {
      waiting[index]!.go()
      void waiting[index]!.ended.then(() => order.push(index))
      await settle()
    }
    expect(order).toEqual([])
    worker!.release()
    await settle()
    expect(order).toEqual([2])
  })

  test('are not waited for by a job that is told to stop, which then has none to return', async () => {
    const { begin, free } = openLane(1)
    const stop = new AbortController()
    const [first] = begin()
    const waiting = lend(first!, stop.signal)
    const [second] = begin()
    waiting.go()
    await settle()
    stop.abort()
    await waiting.ended
    first!.release()
    expect(free()).toBe(0)
    second!.release()
    expect(free()).toBe(1)
  })

  test('lent by a job that fails meanwhile are released', async () => {
    const { begin, free } = openLane(1)
    const [first] = begin()
    await expect(first!.lend(() => Promise.reject(new Error('gone')), NEVER)).rejects.toThrow('gone')
    expect(free()).toBe(0)
  })

  test('can be lent by up to 64 jobs, then no new job starts until one is taken back', async () => {
    const { begin, free, lane } = openLane(2)
    const waiting = []
    for (let [slot] = begin(); slot !== undefined; [slot] = begin()) waiting.push(lend(slot))
    expect(waiting).toHaveLength(64)
    expect(free()).toBe(0)
    const before = lane.wakes
    waiting[0]!.go()
    await waiting[0]!.ended
    expect(lane.wakes).toBe(before + 1)
    expect(free()).toBe(1)
  })
})
