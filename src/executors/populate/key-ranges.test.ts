import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findRangeKeys, rangeConditions } from './key-ranges.ts'

test('every value, and NULL, is in exactly one range', () => {
  const key = { column: 'x', type: 'Int64', integer: 'Int64', isNullable: true }
  const holds = (condition: string, x: bigint | null): boolean => {
    const text = condition
      .replaceAll(/toInt64\('(-?\d+)'\)/g, '$1n')
      .replaceAll('isNull(x)', 'x === null')
      .replaceAll(' AND ', ' && ')
      .replaceAll(' OR ', ' || ')
    const sql = text.replaceAll(/x (<|>=) /g, '(x ?? NaN) $1 ')
    return Boolean(new Function('x', `return ${sql}`)(x))
  }
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.bigInt({ min: -9n, max: 9n }), { minLength: 1, maxLength: 6 }),
      fc.option(fc.bigInt({ min: -20n, max: 20n })),
      (bounds, x) => {
        const conditions = rangeConditions(
          key,
          bounds.toSorted((a, b) => (a < b ? -1 : 1)),
        )
        expect(conditions.filter(condition => holds(condition, x))).toHaveLength(1)
      },
    ),
  )
})

test.each([
  ['day', 'Date', { column: '`c`', type: 'Date', integer: 'UInt16', isNullable: false }],
  ['c, d', "Nullable(DateTime64(3, 'UTC'))", { type: "DateTime64(3, 'UTC')", integer: 'Int64', isNullable: true }],
  ['`c`', 'LowCardinality(Nullable(Int32))', { type: 'Int32', integer: 'Int32', isNullable: true }],
  ['c', 'UInt64', { type: 'UInt64', integer: 'UInt64', isNullable: false }],
  ['c', 'String', null],
  ['c', 'Float64', null],
  ['c', 'Int128', null],
  ['c', "Enum8('a' = 1)", null],
  ['toDate(c), c', 'DateTime', null],
  ['d', 'Date', null],
  [null, 'Date', null],
])('of the sorting key %s the first column, as %s, can form ranges: %j', (sortingKey, type, expected) => {
  const keys = findRangeKeys({ columns: [{ name: 'c', type }], sortingKey: sortingKey === 'day' ? 'c' : sortingKey })
  expect(keys).toEqual(expected === null ? [] : [expect.objectContaining(expected)])
})

test.each([
  ['day, id, text, n', ['`day`', '`id`']],
  ['text, day', []],
  ['day, toDate(n), id', ['`day`']],
])('the columns of the sorting key %s are used up to the first of an unsuitable type: %j', (sortingKey, expected) => {
  const types = { day: 'Date', id: 'UInt64', text: 'String', n: 'Int8' }
  const columns = Object.entries(types).map(([name, type]) => ({ name, type }))
  expect(findRangeKeys({ columns, sortingKey }).map(({ column }) => column)).toEqual(expected)
})
