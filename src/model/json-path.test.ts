import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readJsonPath, writeJsonPath } from './json-path.ts'

test.each([
  ['$.user.id', ['user', 'id']],
  ['$.first name', ['first name']],
  ["$['a.b']", ['a.b']],
  ['$["a.b"]["c"].d', ['a.b', 'c', 'd']],
  ["$['it\\'s']", ["it's"]],
  ['$.user.tags[0]', ['user', 'tags', 0]],
  ['$.rows[12][0].name', ['rows', 12, 0, 'name']],
  ['$.tags[:]', ['tags']],
] as const)('%s leads to %j', (text, path) => {
  expect(readJsonPath(text)).toEqual(path)
})

test.each([
  '',
  '$',
  'a',
  '$[0]',
  '$a',
  '$.',
  '$..a',
  '$.a..b',
  '$.*',
  '$.a[*]',
  '$.a[-1]',
  '$.a[1:2]',
  '$.a[:].b',
  '$[?(@.a)]',
  "$['a",
  '$.a[]',
  "$['']",
])('%j leads nowhere', text => {
  expect(readJsonPath(text)).toBeNull()
})

test('a written path is read back', () => {
  const key = fc.string({ minLength: 1, unit: 'grapheme' }).filter(text => !/[\n\r\u2028\u2029]/.test(text))
  fc.assert(
    fc.property(fc.array(key, { minLength: 1 }), keys => {
      expect(readJsonPath(writeJsonPath(keys))).toEqual(keys)
    }),
  )
})
