import { expect, test } from 'vitest'
import { growthOf } from '../../test/growth.ts'
import { readSchemaText } from './schema-text.ts'

const column = (name: string, type: string, jsonPath: string | null = null, given?: string) => ({
  name,
  type,
  jsonPath,
  ...(given !== undefined && { default: given }),
})

test.each([
  ['a Int32, b String', [column('a', 'Int32'), column('b', 'String')]],
  [' a\tInt32 ,\n b  Nullable( String ) ', [column('a', 'Int32'), column('b', 'Nullable( String )')]],
  [
    'sum AggregateFunction(sum, Float64), n UInt8',
    [column('sum', 'AggregateFunction(sum, Float64)'), column('n', 'UInt8')],
  ],
  ["kind Enum8('a,b' = 1, 'c)' = 2), n UInt8", [column('kind', "Enum8('a,b' = 1, 'c)' = 2)"), column('n', 'UInt8')]],
  ['`first, name` String', [column('first, name', 'String')]],
  ['user String `json:$.user.id`', [column('user', 'String', '$.user.id')]],
  [
    "n UInt8 DEFAULT 1, text String default 'a, b'",
    [column('n', 'UInt8', null, '1'), column('text', 'String', null, "'a, b'")],
  ],
  [
    "user String `json:$.user.id` DEFAULT concat('a', lower('B'))",
    [column('user', 'String', '$.user.id', "concat('a', lower('B'))")],
  ],
  ["kind Enum8(' DEFAULT ' = 1) DEFAULT ' DEFAULT '", [column('kind', "Enum8(' DEFAULT ' = 1)", null, "' DEFAULT '")]],
])('%s', (text, columns) => {
  expect(readSchemaText(text)).toEqual(columns)
})

test.each(['', 'a', 'a Int32,', ', a Int32', '`` String'])('%j is not a schema', text => {
  expect(readSchemaText(text)).toMatch(/is not a column/)
})

test.each(["\\'", '`', "'", '(', ',', ', ', ' ', 'a ', '`json:', 'a`json:'])(
  'a text of only %s is scanned once',
  async text => {
    for (const before of ['', 'a b', "a Enum8('", '`', 'a String `json:']) {
      const make = (size: number) => `${before}${text.repeat(size / text.length)}\``
      expect(await growthOf({ size: 30_000, make, work: readSchemaText }), before).toBeLessThan(3)
    }
  },
)
