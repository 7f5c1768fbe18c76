import { expect, test } from 'vitest'
import { growthOf } from '../../test/growth.ts'
import { engineParameters } from './engine-parameters.ts'

test.each<[string, unknown, string]>([
  ['Array(Int64)', ['9223372036854775807', 1, '-2'], '[9223372036854775807,1,-2]'],
  ['Array(Decimal(38, 2))', ['12345678901234567890.12', '1e3', '-.5'], '[12345678901234567890.12,1e3,-.5]'],
  ['Array(Nullable(Float64))', [1.5, 'nan', '-inf', null], '[1.5,nan,-inf,NULL]'],
  ['Array(String)', ["it's \\ \t\n\r", 5, '5', 'nan'], "['it\\'s \\\\ \\t\\n\\r','5','5','nan']"],
  ['Array(LowCardinality(String))', ['1'], "['1']"],
  ['Array(UUID)', ['61f0c404-5cb3-11e7-907b-a6006ad3dba0'], "['61f0c404-5cb3-11e7-907b-a6006ad3dba0']"],
  ['Array(Int8)', ["1]; DROP TABLE x --'"], "['1]; DROP TABLE x --\\'']"],
  [
    'Tuple(a UInt64, `b c` Array(Bool))',
    ['18446744073709551615', [true, false]],
    '(18446744073709551615,[TRUE,FALSE])',
  ],
  ['Map(Int64, Decimal(9, 2))', { '-1': '1.50', x: null }, "{-1:1.50,'x':NULL}"],
  ['Map(String, Map(String, UInt8))', { '1': { a: 2 } }, "{'1':{'a':2}}"],
  [
    'Polygon',
    [
      [
        [0, 1],
        ['2.5', 3],
      ],
    ],
    '[[(0,1),(2.5,3)]]',
  ],
  ['Array(JSON)', [{ a: "it's" }], `['{"a":"it\\'s"}']`],
])('for %s %j is written as %s', (type, value, text) => {
  expect(engineParameters(`SELECT {p:${type}}, {q:String}`, { p: value, q: 'x' })).toEqual({
    plain: { q: 'x' },
    written: { param_p: text },
  })
})

test('plain values, and an object for a JSON parameter, are left to the client', () => {
  const parameters = { a: 'x', b: null, c: { d: [1] } }
  expect(engineParameters('SELECT {a:String}, {b:Nullable(Int8)}, {c:JSON}', parameters)).toEqual({
    plain: { a: 'x', b: null, c: '{"d":[1]}' },
    written: {},
  })
})

test('a megabyte of digits in a list is scanned once', () => {
  const digits = '0'.repeat(1_000_000)
  for (const text of [`${digits}!`, `1.${digits}!`, `${digits}e5!`])
    expect(engineParameters('SELECT {a:Array(Float64)}', { a: [text] }).written).toEqual({ param_a: `['${text}']` })
})

test('a long list is written once, whatever its type and however often it is used in the SQL', async () => {
  const make = (size: number) => {
    const names = Array.from({ length: size }, (_, index) => `'a${index}' = ${index}`).join(', ')
    const sql = `SELECT ${Array(size).fill('{a:Array(UInt8)}').join(', ')}, {a:Array(Enum16(${names}))}`
    return { sql, list: Array(10 * size).fill('a') }
  }
  const work = ({ sql, list }: ReturnType<typeof make>) =>
    expect(engineParameters(sql, { a: list }).written.param_a).toHaveLength(list.length * 4 + 1)
  expect(await growthOf({ size: 300, make, work })).toBeLessThan(3)
})
