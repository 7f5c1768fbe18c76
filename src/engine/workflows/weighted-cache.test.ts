import { expect, test } from 'vitest'
import { createWeightedCache } from './weighted-cache.ts'

const cacheOf = (most: number) => createWeightedCache<string>({ most, weigh: text => text.length })

test('the least recently used value is dropped when the weight limit is reached', async () => {
  const cache = cacheOf(6)
  await cache.get('a', async () => 'aa')
  await cache.get('b', async () => 'bb')
  await cache.get('c', async () => 'cc')
  expect(cache.peek('a')).toBe('aa')
  await cache.get('d', async () => 'dd')
  expect([cache.peek('a'), cache.peek('b'), cache.peek('c'), cache.peek('d')]).toEqual(['aa', undefined, 'cc', 'dd'])
})

test('a value that is too heavy is returned but not cached', async () => {
  const cache = cacheOf(3)
  await cache.get('a', async () => 'aaa')
  expect(await cache.get('b', async () => 'bbbb')).toBe('bbbb')
  expect([cache.peek('a'), cache.peek('b')]).toEqual(['aaa', undefined])
})

test('two requests at once make one value, and a failure is not cached', async () => {
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
