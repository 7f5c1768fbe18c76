import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rowPairs } from './row-pairs.ts'

test('names are kept as written, including numbers and duplicates', () => {
  expect(rowPairs(`{"'a'":"a","1":1,"1":2,"x":{"1":[{"b":",:}"}],"a":null},"y":[],"z":{}}`)).toEqual([
    ["'a'", 'a'],
    ['1', 1],
    ['1', 2],
    ['x', { 1: [{ b: ',:}' }], a: null }],
    ['y', []],
    ['z', {}],
  ])
  expect(rowPairs('{}')).toEqual([])
  expect(rowPairs(' {"a\\"{:":"}\\\\"} ')).toEqual([['a"{:', '}\\']])
})

test('any object returns its own entries', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), object => {
      const text = JSON.stringify(object)
      expect(rowPairs(text)).toEqual(Object.entries(JSON.parse(text)))
    }),
  )
})
