import { expect, test } from 'vitest'
import { hasHeader, repeatedNames } from './header.ts'
import { readRecords } from './read-fields.ts'

const isHeader = (text: string): boolean =>
  hasHeader(readRecords({ bytes: Buffer.from(text), isWhole: true }, { delimiter: ',', quote: '"' }), null)

test.each([
  ['true\n5\n7\n', true],
  ['TRUE\n2026-11-01\n', true],
  ['id,true\n1,5\n2,0\n', true],
  ['true\n1\n0\n', false],
  ['true\nfalse\n', false],
  ['true\nred\nblue\n', false],
  ['true\n5\nfalse\n', false],
  ['nan\n1.5\n', false],
  ['null\n5\n', false],
  ['true\n', false],
])('the first line of %j is a header: %s', (text, expected) => {
  expect(isHeader(text)).toBe(expected)
})

test('duplicate names are reported once, in order', () => {
  expect(repeatedNames(['b', 'a', 'c', 'a', 'b', 'a'])).toEqual(['a', 'b'])
})

test('finding duplicates takes time in proportion to the number of names: a sample may have a hundred thousand', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`)
  const [few, many] = [names(1_000), names(20_000)]
  const leastTime = (run: () => void): number =>
    Math.min(
      ...Array.from({ length: 5 }, () => {
        const start = performance.now()
        run()
        return performance.now() - start
      }),
    )
  const often = leastTime(() => {
    for (let time = 0; time < 20; time++) repeatedNames(few)
  })
  expect(leastTime(() => void repeatedNames(many))).toBeLessThan(8 * often)
})
