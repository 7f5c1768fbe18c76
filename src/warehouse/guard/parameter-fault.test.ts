import { expect, test } from 'vitest'
import { growthOf } from '../../../test/growth.ts'
import { parameterFault, parameterFaults } from './parameter-fault.ts'

test.each<[string, readonly unknown[], readonly unknown[]]>([
  ['UInt8', [0, 255, '255', true, 'x', 1.5], [256, -1, '256', null, [1], {}]],
  ['Int64', ['9223372036854775807', '-9223372036854775808'], ['9223372036854775808', '-9223372036854775809']],
  ['Int256', ['1'.repeat(76)], ['9'.repeat(80)]],
  ['Float32', [1.5, 'inf', '-Infinity', 'nan', 'x'], [1e39, '1e400']],
  ['Decimal(5, 2)', ['1.25', '1.2500', '120e-1', '1e2', 0, '0.000'], ['1.255', 1e-7, '1e-3']],
  ['Decimal64(1)', ['1.5'], ['1.55']],
  ['Decimal', ['1'], ['1.5']],
  ['Date', ['2024-02-29', '2024-2-9', '20240229', 'x'], ['2023-02-29', '1969-12-31', '2149-06-07', '2024-13-01']],
  ['Date32', ['1900-01-01'], ['1899-12-31', '2300-01-01']],
  [
    'DateTime',
    ['2024-01-01 10:00:00', '1704103200'],
    ['2024-01-01 24:00:00', '2024-01-01 10:60:00', '1960-01-01 00:00:00'],
  ],
  ["DateTime64(3, 'Europe/Berlin')", ['1960-01-01 00:00:00.5'], ['2024-02-30 10:00:00', '2024-01-01T10:00:61']],
  ['String', ['', 5, 'x'], [null, ['x'], { a: 1 }]],
  ['Nullable(UInt8)', [null, 1], [256]],
  ['LowCardinality(Nullable(String))', [null, 'x'], [[]]],
  ['Array(Nullable(UInt8))', [[], [1, null], '[1]'], [[256], null]],
  ['Map(String, UInt8)', [{}, { a: 1 }], [{ a: 256 }, { a: null }]],
  [
    'Tuple(a UInt8, `b c` Nullable(Date))',
    [[1, null]],
    [
      [256, null],
      [1, '2024-02-30'],
    ],
  ],
  ['Variant(UInt8, String)', [null, 300, []], []],
  ['Identifier', ['x'], []],
])('%s accepts exactly its values', (type, right, wrong) => {
  for (const value of right) expect(parameterFault(type, value), JSON.stringify(value)).toBeNull()
  for (const value of wrong) expect(parameterFault(type, value), JSON.stringify(value)).toMatch(/^must be of the type/)
})

test.each<[string, unknown]>([
  ['Int64', 2 ** 53],
  ['UInt64', 1.7e19],
  ['Decimal(38, 2)', -(2 ** 60)],
  ['String', 2 ** 53],
  ['Array(Int64)', [1, 2 ** 53]],
  ['Map(String, UInt64)', { a: 2 ** 53 }],
  ['Float64', Number.POSITIVE_INFINITY],
])('a number that JSON readers round is refused for %s', (type, value) => {
  expect(parameterFault(type, value)).toMatch(/^must be a text/)
})

test('numbers that JSON readers do not round, and floats, are accepted', () => {
  for (const value of [2 ** 53 - 1, 1 - 2 ** 53]) expect(parameterFault('Int64', value)).toBeNull()
  for (const value of [1e300, 2 ** 60]) expect(parameterFault('Float64', value)).toBeNull()
})

test('each parameter is reported once, and only those with a value', () => {
  const sql = "SELECT {a:UInt8}, {a:UInt8}, {b:Date}, {c:UInt8}, '{d:UInt8}'"
  expect(parameterFaults(sql, { a: 256, b: 'x', d: 256 })).toEqual([
    { name: 'a', message: 'must be of the type UInt8, which 256 is not' },
  ])
})

test.each(['Decimal(9, 2)', 'Float64', 'Int256', 'UInt8', 'Date', 'DateTime64(3)'])(
  'a value of a megabyte for %s is scanned once',
  type => {
    const digits = '0'.repeat(500_000)
    for (const text of [`${digits}!`, `-${digits}1${digits}!`, `1.${digits}1`, `${digits}1e5`])
      parameterFault(type, text)
  },
)

test.each(["\\'", '\\`', "'", '(', ',', 'Nullable(', 'Tuple(a ', 'LowCardinality(Nullable('])(
  'a type of only %s is parsed once',
  text => {
    for (const before of ["Array('", 'Tuple(`', 'Map(']) {
      const sql = `SELECT {a:${before}${text.repeat(250_000 / text.length)})}`
      for (const value of [[1], {}, 'x']) parameterFaults(sql, { a: value })
    }
  },
)

test('a long list is checked once, whatever its type and however often it is used in the SQL', async () => {
  const make = (size: number) => {
    const names = Array.from({ length: size }, (_, index) => `'a${index}' = ${index}`).join(', ')
    const others = Array.from({ length: size }, (_, at) => `{a:Array(FixedString(${at}))}`)
    return { sql: `SELECT {a:Array(Enum16(${names}))}, ${others.join(', ')}`, list: Array(10 * size).fill('a') }
  }
  const work = ({ sql, list }: ReturnType<typeof make>) => expect(parameterFaults(sql, { a: list })).toEqual([])
  expect(await growthOf({ size: 300, make, work })).toBeLessThan(3)
})

test('a long type within many nested ones is parsed once', async () => {
  const make = (size: number) => ({
    sql: `SELECT {a:${'Array('.repeat(size)}Tuple(${'a UInt8,'.repeat(50 * size)} b UInt8)${')'.repeat(size)}}`,
    value: Array.from({ length: size }).reduce(value => [value], []),
  })
  const work = ({ sql, value }: ReturnType<typeof make>) => expect(parameterFaults(sql, { a: value })).toEqual([])
  expect(await growthOf({ size: 200, make, work })).toBeLessThan(3)
})
