import { expect, test } from 'vitest'
import { gather } from './gather.ts'

const tick = () => new Promise(resolve => setImmediate(resolve))

/** Records the groups that run; each run waits until it is released. */
const setUp = (options: { atOnce: number; largest: number }) => {
  const groups: (readonly number[])[] = []
  const gates: (() => void)[] = []
  const call = gather<number, string>({
    ...options,
    weigh: () => 1,
    mayBeOfOne: error => !String(error).includes('shared'),
    run: async items => {
      groups.push(items)
      await new Promise<void>(resolve => gates.push(resolve))
      if (items.includes(-2)) throw new Error('shared')
      if (items.includes(-1)) throw new Error(`bad among ${items.length}`)
      return items.map(item => `done ${item}`)
    },
  })
  const letGo = () => {
    for (const open of gates.splice(0)) open()
  }
  return { groups, call, letGo }
}

test('calls that arrive during a run share the next run, and each gets its own outcomes', async () => {
  const { groups, call, letGo } = setUp({ atOnce: 1, largest: 100 })
  const first = call([1])
  await tick()
  const others = Promise.all([call([2, 3]), call([4])])
  letGo()
  expect(await first).toEqual(['done 1'])
  await tick()
  letGo()
  expect(await others).toEqual([['done 2', 'done 3'], ['done 4']])
  expect(groups).toEqual([[1], [2, 3, 4]])
})

test('a group is no heavier than the limit, unless a single call is', async () => {
  const { groups, call, letGo } = setUp({ atOnce: 1, largest: 2 })
  const calls = Promise.all([call([1]), call([2]), call([3]), call([4, 5, 6]), call([7])])
  for (let round = 0; round < 5; round++) {
    await tick()
    letGo()
  }
  await calls
  expect(groups).toEqual([[1, 2], [3], [4, 5, 6], [7]])
})

test('one bad call rejects alone: its neighbours run again without it', async () => {
  const { groups, call, letGo } = setUp({ atOnce: 1, largest: 100 })
  const outcomes = Promise.allSettled([call([1]), call([-1]), call([2])])
  for (let round = 0; round < 5; round++) {
    await tick()
    letGo()
  }
  expect(await outcomes).toEqual([
    { status: 'fulfilled', value: ['done 1'] },
    { status: 'rejected', reason: new Error('bad among 1') },
    { status: 'fulfilled', value: ['done 2'] },
  ])
  expect(groups).toEqual([[1, -1, 2], [1], [-1], [2]])
})

test('a failure that belongs to no single call rejects the whole group, and nothing runs twice', async () => {
  const { groups, call, letGo } = setUp({ atOnce: 1, largest: 100 })
  const outcomes = Promise.allSettled([call([1]), call([-2])])
  await tick()
  letGo()
  expect((await outcomes).map(outcome => outcome.status)).toEqual(['rejected', 'rejected'])
  expect(groups).toEqual([[1, -2]])
})

test('no more runs at once than allowed', async () => {
  const { groups, call, letGo } = setUp({ atOnce: 2, largest: 1 })
  const calls = Promise.all([call([1]), call([2]), call([3])])
  await tick()
  expect(groups).toEqual([[1], [2]])
  letGo()
  await tick()
  expect(groups).toEqual([[1], [2], [3]])
  letGo()
  await calls
})
