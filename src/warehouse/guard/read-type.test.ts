import { expect, test } from 'vitest'
import { growthOf } from '../../../test/growth.ts'
import { readType, type TypeTree } from './read-type.ts'

/** `Array?` is one that may be NULL. */
const shown = ({ name, parts, nullable }: TypeTree): string =>
  `${name}${nullable ? '?' : ''}${parts.length === 0 ? '' : `[${parts.map(shown).join(' ')}]`}`

test.each([
  ['UInt8', 'UInt8'],
  [' Array ( Nullable ( UInt8 ) ) ', 'Array[UInt8?]'],
  ['LowCardinality(Nullable(FixedString(3)))', 'FixedString?[3]'],
  ['Map(String, Array(Tuple(a UInt8, `b (c` Nullable(Date))))', 'Map[String Array[Tuple[UInt8 Date?]]]'],
  ["Array(Enum8('a, (' = 1, 'b\\')' = 2))", 'Array[Enum8[ ]]'],
  ['Tuple(UInt8, Tuple(x Int8), y Int16)', 'Tuple[UInt8 Tuple[Int8] Int16]'],
  ['Tuple()', 'Tuple[]'],
  ['Array(DOUBLE PRECISION)', 'Array[]'],
  ["Array('", 'Array[]'],
  ['Array(Int8, (', 'Array[Int8 []]'],
  [') a, (', '[]'],
  ['', ''],
])('%s', (type, expected) => {
  expect(shown(readType(type))).toBe(expected)
})

test('each part has its text, without its name in a tuple', () => {
  const { parts } = readType('Tuple(a Decimal(9, 2), `b` Nullable(UInt8), Int8)')
  expect(parts.map(({ text }) => text.trim())).toEqual(['Decimal(9, 2)', 'Nullable(UInt8)', 'Int8'])
  expect(parts[0]!.parts.map(({ text }) => Number(text))).toEqual([9, 2])
})

test.each(['Array(', 'Array(Tuple(a ', 'Tuple(a,', 'Array(    ', 'Map(a,', '(', ')', ',', "'", '`', ' ', "\\'"])(
  'a type of only %j is parsed once',
  async text => {
    for (const after of ['', ' ', ')', '()']) {
      const make = (size: number) => `${text.repeat(size / text.length)}${after.repeat(size)}`
      expect(await growthOf({ size: 30_000, make, work: readType }), after).toBeLessThan(3)
    }
  },
)
