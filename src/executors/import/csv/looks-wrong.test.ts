import { expect, test } from 'vitest'
import { looksWrong } from './looks-wrong.ts'

const TARGET = {
  columns: [
    { name: 'id', type: 'Int64' },
    { name: 'price', type: 'Nullable(Float64)' },
    { name: 'day', type: 'Date' },
    { name: 'text', type: 'String' },
  ].map(column => ({ ...column, jsonPath: null })),
}

const record = (line: string) => ({
  fields: line.split(',').map(text => ({ text, quoted: false })),
  linesToEnd: 1,
})

test.each([
  ['1,2.5,2026-01-01,a', false],
  ['1,,2026-01-01,', false],
  ['1,\\N,2026-01-01,', false],
  ['1,-inf,2026-01-01,', false],
  ['1,NaN,1 Jan 2026,', false],
  ['none,2.5,2026-01-01,a', true],
  [',2.5,2026-01-01,a', true],
  ['1,n/a,2026-01-01,a', true],
  ['1,2.5,today,a', true],
  ['1,2.5', true],
])('%s looks wrong: %s', (line, expected) => {
  const names = ['id', 'price', 'day', 'text']
  expect(looksWrong([record('7,7,2026-01-07,7'), record(line)], names, TARGET)).toBe(expected)
})

test('the columns are compared in the order of the file', () => {
  expect(looksWrong([record('a,1')], ['text', 'id'], TARGET)).toBe(false)
  expect(looksWrong([record('1,a')], ['text', 'id'], TARGET)).toBe(true)
  expect(looksWrong([], ['text', 'id'], TARGET)).toBe(false)
})
