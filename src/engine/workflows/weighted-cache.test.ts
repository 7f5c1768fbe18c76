import { expect, test } from 'vitest'
import { createWeightedCache } from './weighted-cache.ts'

const cacheOf = (most: number) => createWeightedCache<string>({ most, weigh: text => text.length })

test('what has not been used for longest is dropped when the weight is reached', async () => {
  const cache = cacheOf(6)
  await cache.get('a', async () => 'aa')
  await cache.get('b', async () => 'bb')
  await cache.get('c', async () => 'cc')
  expect(cache.peek('a')).toBe('aa')
  await cache.get('d', async () => 'dd')
  expect([cache.peek('a'), cache.peek('b'), cache.peek('c'), cache.peek('d')]).toEqual(['aa', undefined, 'cc', 'dd'])
})

test('a value that is too heavy is given but drops nothing', async () => {
  const cache = cacheOf(3)
  await cache.get('a', async () => 'aaa')
  expect(await cache.get('b', async () => 'bbbb')).toBe('bbbb')
  expect([cache.peek('a'), cache.peek('b')]).toEqual(['aaa', undefined])
})

test('asked twice at once it makes one value; a failure is made again', async () => {
  const cache = cacheOf(10)
  let made = 0
  const build = async () => {
    made += 1
    if (made === 1) throw new Error('not yet')
    return 'a'
  }
  await expect(Promise.all([cache.get('a', build), cache.get('a', build)])).rejects.toThrow('not yet')
  expect(await Promise.all([cache.get('a', build), cache.get('a', build)])).toEqual(['a', 'a'])
  expect(made).toBe(2)
})
