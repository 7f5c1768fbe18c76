import { expect, test } from 'vitest'
import { hasHeader } from './header.ts'
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
])('the first line of %j has names: %s', (text, expected) => {
  expect(isHeader(text)).toBe(expected)
})
