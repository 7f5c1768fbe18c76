import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ImportScene, openImportScene } from './scene.ts'

let scene: ImportScene
let name: string
let count = 0

beforeAll(async () => {
  scene = await openImportScene()
})
afterAll(() => scene.stop())

beforeEach(() => {
  name = `exact_${++count}`
})

type Imported = { readonly stored: readonly (string | null)[]; readonly refused: readonly number[] }

/** What became of the rows of a file, each with its number `n` and a value `v`. */
const imported = async (path: string, content: string): Promise<Imported> => {
  const job = await scene.import({ datasource: name, url: scene.give(path, content) })
  expect(job).toMatchObject({ status: 'completed', statistics: { invalid_lines: 0 } })
  const rows = await scene.table(name, 'n')
  const bad = await scene.rows<{ n: string }>(`SELECT n FROM ${name}_quarantine`)
  const refused = bad.map(({ n }) => Number(n)).sort((a, b) => a - b)
  expect(job.statistics).toMatchObject({ rows_written: rows.length, quarantine_rows: refused.length })
  await scene.data.warehouse.command({ workspace: 'default', sql: `TRUNCATE TABLE ${name}` })
  await scene.data.warehouse.command({ workspace: 'default', sql: `TRUNCATE TABLE ${name}_quarantine` })
  return { stored: rows.map(([, value]) => value!), refused }
}

const ndjson = (values: readonly string[]) => values.map((value, n) => `{"n":${n},"v":${value}}\n`).join('')
const csv = (values: readonly string[]) =>
  `n,v\n${values.map((value, n) => `${n},"${value.replaceAll('"', '""')}"\n`).join('')}`

type Case = {
  readonly type: string
  /** As they stand in the file, and what is stored. */
  readonly good: Readonly<Record<string, string | null>>
  readonly bad: readonly string[]
}

/** All beside each other, and those that are good by themselves: they take another way. */
const check = async (write: (values: readonly string[]) => string, path: string, { type, good, bad }: Case) => {
  await scene.dataSource(name, { n: 'UInt32', v: type })
  const texts = Object.keys(good)
  const all = [...bad, ...texts]
  expect.soft(await imported(path, write(all))).toEqual({ stored: Object.values(good), refused: bad.map((_, n) => n) })
  expect.soft(await imported(path, write(texts))).toEqual({ stored: Object.values(good), refused: [] })
}

const same = (...texts: readonly string[]) => Object.fromEntries(texts.map(text => [text, text]))

const NESTED: readonly Case[] = [
  {
    type: 'Array(UInt8)',
    good: { '[]': '[]', '[0, 255]': '[0,255]', '["7",8.0]': '[7,8]' },
    bad: [
      '["x"]',
      '[-1]',
      '[256]',
      '[1.5]',
      '[null]',
      '[1,"x",2]',
      '{"a":1}',
      '5',
      '"x"',
      '[[1]]',
      '[1e0]',
      '[true]',
      '[""]',
    ],
  },
  { type: 'Array(Float64)', good: { '[1, 2.5]': '[1,2.5]' }, bad: ['["x"]', '[true]', '[1e400]', '[{}]'] },
  { type: 'Array(Bool)', good: { '[true,false]': '[true,false]', '["true"]': '[true]' }, bad: ['["maybe"]', '[2]'] },
  {
    type: 'Array(Int64)',
    good: {
      '[9223372036854775807]': '["9223372036854775807"]',
      '[1.0]': '["1"]',
      '[9007199254740993.0]': '["9007199254740993"]',
    },
    bad: ['[1.5]', '[9223372036854775808]', '[92233720368547758080]', '["1x"]'],
  },
  {
    type: 'Array(Int128)',
    good: { '[170141183460469231731687303715884105727]': '["170141183460469231731687303715884105727"]' },
    bad: ['[170141183460469231731687303715884105728]'],
  },
  {
    type: 'Array(Decimal(38, 20))',
    good: { '[123456789012345678.12345678901234567890]': '[123456789012345680]' },
    bad: ['[1.123456789012345678901]', '[1234567890123456789]', '["-"]'],
  },
  {
    type: 'Array(Date)',
    good: { '["2024-02-29"]': '["2024-02-29"]' },
    bad: ['["2024-02-30"]', '["2024-13-01"]', '["0000-00-00"]', '["x"]', '[20240230]', '["1969-12-31"]'],
  },
  {
    type: 'Array(DateTime)',
    good: {
      '["2024-01-01 10:00:00","2024-01-01T10:00:00Z",1704103200]':
        '["2024-01-01 10:00:00","2024-01-01 10:00:00","2024-01-01 10:00:00"]',
    },
    bad: ['["10:00:00"]', '["2024-01-01 10:61:00"]', '["1969-12-31 23:59:59"]'],
  },
  { type: "Array(Enum8('a' = 1, 'b' = 2))", good: { '["a","b"]': '["a","b"]' }, bad: ['["c"]', '[1]'] },
  { type: 'Array(UUID)', good: {}, bad: ['["x"]', '[1]'] },
  {
    type: 'Array(String)',
    good: {
      '["http://a/b", "\\u00e9\\n\\"", 1.10, 123456789012345678901234567890, true, {"a": 1.50, "b":"x/y"}, [1,2]]':
        '["http://a/b","é\\n\\"","1.10","123456789012345678901234567890","true","{\\"a\\":1.50,\\"b\\":\\"x/y\\"}","[1,2]"]',
      '["a 2 \\" 3", "-1", "[1]", "\\\\"]': '["a 2 \\" 3","-1","[1]","\\\\"]',
    },
    bad: ['[null]', '"x"', '{}', '["\\ud800"]', '["\ufdd01"]'],
  },
  { type: 'Array(Nullable(String))', good: { '["a/b",null]': '["a/b",null]', '[]': '[]' }, bad: ['"a/b"'] },
  { type: 'Array(Nullable(Int8))', good: { '[1,null,2]': '[1,null,2]' }, bad: ['[1,null,"x"]', '[300]'] },
  { type: 'Array(LowCardinality(String))', good: { '["a/b", "c"]': '["a/b","c"]' }, bad: ['[null]'] },
  { type: 'Array(LowCardinality(Nullable(String)))', good: { '["a/b", null]': '["a/b",null]' }, bad: ['{}'] },
  {
    type: 'Array(Array(String))',
    good: { '[["a/b"], [ ], ["c"]]': '[["a/b"],[],["c"]]' },
    bad: ['[["a"],"b"]', '[["a"],null]', '[["a"],[null]]', '["[1]"]'],
  },
  {
    type: 'Array(Array(UInt8))',
    good: { '[[1],[2, 3.0]]': '[[1],[2,3]]' },
    bad: ['[["x"]]', '[[1],[-1]]', '[[1],2]', '[[[1]]]'],
  },
  { type: 'Array(Array(Array(Int8)))', good: { '[[[1],[]],[]]': '[[[1],[]],[]]' }, bad: ['[[[1],[128]]]', '[[1]]'] },
  {
    type: 'Map(String, Array(String))',
    good: { '{"k/1":["a/b"],"l":[]}': '{"k/1":["a/b"],"l":[]}' },
    bad: ['{"k":"a"}', '{"k":[null]}', '{"k":null}', '[]'],
  },
  {
    type: 'Map(Int32, String)',
    good: { '{"1":"a/b","-2":"c"}': '{"1":"a/b","-2":"c"}', '{}': '{}' },
    bad: ['{"x":"a"}', '{"2147483648":"a"}', '{"":"a"}', '[]'],
  },
  {
    type: 'Map(String, UInt8)',
    good: { '{"a":1.0,"b":2}': '{"a":1,"b":2}' },
    bad: ['{"a":"x"}', '{"a":256}', '{"a":null}'],
  },
  { type: 'Map(String, Nullable(UInt8))', good: { '{"a":null,"b":2}': '{"a":null,"b":2}' }, bad: ['{"a":"x"}'] },
  {
    type: 'Map(LowCardinality(String), Map(String, Date))',
    good: { '{"a":{"b":"2024-02-29"}}': '{"a":{"b":"2024-02-29"}}' },
    bad: ['{"a":{"b":"2024-02-30"}}', '{"a":1}'],
  },
  {
    type: 'Tuple(x Int64, y String)',
    good: {
      '{"x":1,"y":"http://a/b"}': '{"x":"1","y":"http://a/b"}',
      '{"y":"b", "x":2}': '{"x":"2","y":"b"}',
      '{"x":3.0,"y":{"a/b":1.0}}': '{"x":"3","y":"{\\"a/b\\":1.0}"}',
    },
    bad: [
      '{"x":1}',
      '{"x":1.5,"y":"a"}',
      '{"x":1,"y":null}',
      '{"x":1,"y":"a","z":2}',
      '{"x":1,"x":2,"y":"a"}',
      '[1,"a"]',
      '{"x":"x","y":"a"}',
    ],
  },
  {
    type: 'Tuple(x Nullable(Int8), `a b` Tuple(c Date, d Array(UInt8)))',
    good: {
      '{"a b":{"d":[1],"c":"2024-02-29"},"x":1}': '{"x":1,"a b":{"c":"2024-02-29","d":[1]}}',
      '{"a b":{"d":[],"c":"2024-02-29"}}': '{"x":null,"a b":{"c":"2024-02-29","d":[]}}',
    },
    bad: [
      '{"x":1}',
      '{"a b":{"d":[256],"c":"2024-02-29"}}',
      '{"a b":{"d":[1],"c":"2024-02-30"}}',
      '{"a b":{"c":"2024-02-29"}}',
      '{"x":300,"a b":{"d":[1],"c":"2024-02-29"}}',
    ],
  },
  {
    type: 'Tuple(Int8, String)',
    good: { '[1, "a/b"]': '[1,"a/b"]' },
    bad: ['[1]', '[1,"a",2]', '["x","a"]', '{"1":1}'],
  },
  {
    type: 'Array(Tuple(a UInt8, b Nullable(String)))',
    good: { '[{"b":"x/y","a":1},{"a":2}]': '[{"a":1,"b":"x/y"},{"a":2,"b":null}]', '[]': '[]' },
    bad: ['[{"a":256,"b":"x"}]', '[{"b":"x"}]', '[null]', '[{"a":1},{"a":"x"}]'],
  },
  { type: 'Point', good: { '[1, 2.5]': '[1,2.5]' }, bad: ['[1]', '["x",1]', '"x"', '[1,2,3]', '{}'] },
  { type: 'Ring', good: { '[[1,2],[3,4]]': '[[1,2],[3,4]]' }, bad: ['[[1,2],[3]]', '"x"', '[1,2]'] },
  { type: 'MultiPolygon', good: { '[[[[1,2],[3,4]]]]': '[[[[1,2],[3,4]]]]' }, bad: ['[[[1,2]]]'] },
]

test.each(NESTED)('$type of NDJSON takes what is one, all of it', async kind => {
  await check(ndjson, `/${name}.ndjson`, kind)
})

test.each(NESTED)('$type of CSV takes the same', async kind => {
  await check(csv, `/${name}.csv`, kind)
})

test.each<Case>([
  { type: 'Point', good: { '(1,2.5)': '[1,2.5]' }, bad: ['x', '', '(1)', '(1,2', '(1,x)'] },
  { type: 'Ring', good: { '[(1,2),(3,4)]': '[[1,2],[3,4]]' }, bad: ['x', '', '(1,2)'] },
  { type: 'Polygon', good: { '[[(1,2),(3,4)]]': '[[[1,2],[3,4]]]' }, bad: ['x', '[(1,2)]'] },
  { type: 'LineString', good: { '[(1,2)]': '[[1,2]]' }, bad: ['x'] },
  { type: 'MultiLineString', good: { '[[(1,2)]]': '[[[1,2]]]' }, bad: ['x'] },
  {
    type: 'Array(String)',
    good: { "['a','b']": '["a","b"]', "['it\\'s','say \"x\"','\\\\']": '["it\'s","say \\"x\\"","\\\\"]' },
    bad: ["['a'", '[\'a\',"b"]', 'a', ''],
  },
  { type: 'Array(Array(String))', good: { "[['a'],['b']]": '[["a"],["b"]]' }, bad: ["['a']"] },
  { type: 'Map(String, Int8)', good: {}, bad: ['{1:2}', "{'a':1}", ''] },
  {
    type: 'Array(Int8)',
    good: { ' [1, 2] ': '[1,2]' },
    bad: ['[1 2]', '[01]', '[1.]', '[.5]', '[+1]', '[1,]', '[1] 2', '[1-2]', '1', '["1', '["1, 2]'],
  },
])('$type of CSV as ClickHouse writes it', async kind => {
  await check(csv, `/${name}.csv`, kind)
})

const TIMES = [
  '0000-00-00 00:00:00',
  '2024-00-01 00:00:00',
  '2024-01-00 00:00:00',
  '0000-01-01 10:00:00',
  '10:00:00',
  '10:61:00',
  '10:00:00.123',
  '2024-01-01 10:61:00',
  '2024-01-01 10:00:60',
  '2024-01-01 24:00:00',
  '2024-01-01T25:00:00Z',
  '2024-01-01 25',
  '20240101106100',
  '20240101T106100',
  '20240101 10:61:00',
  '1 Jan 10:00:00',
  'Jan 2024 10:00',
  '202401 10',
  '2024-02-30 10:00:00',
  '2024-01-01 10:00:00 +25:00',
  '2024-13-01 10:00:00',
  '2024-01-01 10:00:00 junk',
  'noon',
  '',
  '20240001',
  '20240100100000',
]
const RIGHT_TIMES = Object.fromEntries(
  [
    '2024-01-01 10:00:00',
    '2024-01-01T10:00:00Z',
    '2024-01-01 10:00',
    '2024-01-01T12:00:00+02:00',
    '2024-01-01 12:00:00 +0200',
    '20240101100000',
    '20240101T100000',
    '20240101 10:00:00',
    '1704103200',
    '2024/01/01 10:00:00',
    '2024.1.1 10:00:00',
    '1/1/2024 10:00',
    '31-12-2024 10:00',
    '1 Jan 2024 10:00',
    'Jan 1, 2024 10:00 AM',
    'Mon, 01 Jan 2024 10:00:00 GMT',
    'Mon Jan  1 10:00:00 2024',
    'Mon Jan  1 10:00:00 UTC 2024',
    '01-Jan-24 10:00',
    '2024:01:01 10:00:00',
    '2024-1-1 10:0:0',
    '2024-01-01  10:00:00',
    '10:00:00 2024-01-01',
  ].map(text => [text, text === '31-12-2024 10:00' ? '2024-12-31 10:00:00' : '2024-01-01 10:00:00']),
)
const withMillis = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([text, stored]) => [text, `${stored}.000`]))

test.each<Case>([
  {
    type: 'DateTime',
    good: {
      ...RIGHT_TIMES,
      '1970-01-01 00:00:00': '1970-01-01 00:00:00',
      '2106-02-07 06:28:15': '2106-02-07 06:28:15',
      '1970-01-01T01:00:00+01:00': '1970-01-01 00:00:00',
      '2024-01-01 10:00:00.9': '2024-01-01 10:00:00',
    },
    bad: [
      ...TIMES,
      '1969-12-31 23:59:59',
      '1970-01-01T00:00:00+01:00',
      '2106-02-07 06:28:16',
      '1800-01-01 00:00:00',
      '2400-01-01 00:00:00',
      '4294967296',
      '9999999999',
    ],
  },
  {
    type: "DateTime('Europe/Berlin')",
    good: {
      '2024-06-01 12:00:00': '2024-06-01 12:00:00',
      '2024-06-01T12:00:00Z': '2024-06-01 14:00:00',
      '1970-01-01 01:00:00': '1970-01-01 01:00:00',
    },
    bad: ['1970-01-01 00:59:59', '2024-00-01 00:00:00'],
  },
  {
    type: 'DateTime64(0)',
    good: same('2024-01-01 10:00:00', '1850-03-01 00:00:00', '2400-01-01 00:00:00'),
    bad: ['10:00:00'],
  },
  {
    type: 'DateTime64(3)',
    good: {
      ...withMillis(RIGHT_TIMES),
      '1969-12-31 23:59:59': '1969-12-31 23:59:59.000',
      '2106-02-07 06:28:16': '2106-02-07 06:28:16.000',
      '1704103200123': '2024-01-01 10:00:00.123',
      '1850-03-01 00:00:00.5': '1850-03-01 00:00:00.500',
    },
    bad: TIMES,
  },
  {
    type: 'Nullable(DateTime)',
    good: { '2024-01-01': '2024-01-01 00:00:00', '\\N': null },
    bad: TIMES.filter(text => text !== ''),
  },
  {
    type: 'Date',
    good: { ...same('1970-01-01', '2149-06-06', '2024-02-29'), '20240229': '2024-02-29', '2024/2/29': '2024-02-29' },
    bad: [
      '2024-02-30',
      '2024-13-01',
      '2024-00-10',
      '2024-01-00',
      '0000-00-00',
      '1969-12-31',
      '2149-06-07',
      '10:00:00',
      '20240230',
      '',
    ],
  },
  {
    type: 'Date32',
    good: same('1900-01-01', '2299-12-31', '1969-12-31'),
    bad: ['1899-12-31', '2300-01-01', '1900-02-29', '0000-00-00'],
  },
  {
    type: 'Int128',
    good: {
      ...same('170141183460469231731687303715884105727', '-170141183460469231731687303715884105728', '0'),
      '+5': '5',
      '-0': '0',
      '007': '7',
      '1.0': '1',
    },
    bad: [
      '170141183460469231731687303715884105728',
      '-170141183460469231731687303715884105729',
      '340282366920938463463374607431768211456',
      '1.5',
      'x',
      '',
      '-',
    ],
  },
  {
    type: 'UInt128',
    good: same('340282366920938463463374607431768211455', '0'),
    bad: ['340282366920938463463374607431768211456', '-1'],
  },
  {
    type: 'Int256',
    good: same(String(2n ** 255n - 1n), String(-(2n ** 255n))),
    bad: [String(2n ** 255n), String(-(2n ** 255n) - 1n), String(2n ** 256n), String(2n ** 300n)],
  },
  { type: 'UInt256', good: same(String(2n ** 256n - 1n)), bad: [String(2n ** 256n), '-1'] },
  { type: 'Nullable(UInt256)', good: { '\\N': null, '': null, '12': '12' }, bad: [String(2n ** 256n)] },
  {
    type: 'Int64',
    good: { '9223372036854775807': '9223372036854775807', '12.00': '12' },
    bad: ['9223372036854775808', '1.5', '1e2', '1.', '.0'],
  },
  { type: 'Float32', good: { '1e38': '1e+38', inf: null, '1.5': '1.5' }, bad: ['1e39', '1e400', 'x', '-'] },
  {
    type: 'Decimal(5, 2)',
    good: {
      '1.230': '1.23',
      '-999.99': '-999.99',
      '999.99': '999.99',
      '+5': '5',
      '.5': '0.5',
      '5.': '5',
      '1e2': '100',
      '12300e-3': '12.3',
      '00012.50': '12.5',
      '0': '0',
      '-0.00': '0',
      '0e2': '0',
      '1.2300000000000000000000000000000000': '1.23',
    },
    bad: ['-', '.', '+', '-.', '12345.1', '1000', '-1000', '1.234', '1e3', '1e-3', '1.5.5', '', 'x', '1e', '999.995'],
  },
  { type: 'Decimal(9, 0)', good: same('999999999', '-999999999'), bad: ['1000000000', '0.5', '1234567890123'] },
  { type: 'Decimal32(2)', good: same('1234567.12'), bad: ['12345678.1', '-'] },
  { type: 'DECIMAL(5, 2)', good: { '1.23': '1.23' }, bad: ['12345.1', '-', '1.234'] },
  { type: 'TIMESTAMP', good: same('2024-01-01 10:00:00'), bad: ['10:00:00', '0000-00-00 00:00:00'] },
  { type: 'SimpleAggregateFunction(max, Decimal(5, 2))', good: { '1.23': '1.23' }, bad: ['12345.1'] },
])('$type takes what is one, exactly', async kind => {
  await check(csv, `/${name}.csv`, kind)
})

/** What the text of a decimal says, times ten to the power of the scale; null: it does not fit. */
const decimal = (text: string, precision: number, scale: number): bigint | null => {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)([0-9]*)[.]?([0-9]*)(?:e([+-]?[0-9]+))?$/i.exec(text) ?? []
  if (sign === undefined || whole + fraction === '') return null
  const power = Number(exponent) - fraction.length + scale
  const digits = BigInt(whole + fraction)
  const divisor = 10n ** BigInt(Math.max(0, -power))
  if (digits % divisor !== 0n) return null
  const value = (digits / divisor) * 10n ** BigInt(Math.max(0, power))
  return value >= 10n ** BigInt(precision) ? null : sign === '-' ? -value : value
}

const digits = (max: number) => fc.string({ unit: fc.constantFrom('0', '0', '1', '9'), maxLength: max })
const decimalText = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    digits(5),
    fc.constantFrom('', '.'),
    digits(4),
    fc.constantFrom('', '', 'e1', 'e-2', 'E+2'),
  )
  .map(parts => parts.join(''))

test('decimals fit by the digits that they have, whatever their writing', async () => {
  const texts = fc.sample(decimalText, { numRuns: 3000, seed: 7 })
  await scene.dataSource(name, { n: 'UInt32', v: 'Decimal(5, 2)' })
  const { stored, refused } = await imported(`/${name}.csv`, csv(texts))
  const expected = texts.map(text => decimal(text, 5, 2))
  expect(refused.map(n => texts[n])).toEqual(texts.filter((_, n) => expected[n] === null))
  expect(stored.map(text => decimal(text!, 5, 2))).toEqual(expected.filter(value => value !== null))
})

test.each(['Int8', 'UInt64', 'Int128', 'UInt128', 'Int256', 'UInt256'])(
  '%s takes the integers of its range, alone and in lists',
  async type => {
    const bits = BigInt(/\d+/.exec(type)![0])
    const [least, most] = type.startsWith('U') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
    const near = fc.tuple(
      fc.constantFrom(least, most, 0n, 2n ** bits, -(2n ** bits), 2n ** (bits + 1n)),
      fc.bigInt(-3n, 3n),
    )
    const values = fc.sample(near, { numRuns: 500, seed: 7 }).map(([edge, off]) => edge + off)
    const isIn = (value: bigint) => value >= least && value <= most
    await scene.dataSource(name, { n: 'UInt32', v: type })
    const alone = await imported(`/${name}.csv`, csv(values.map(String)))
    expect(alone.stored.map(text => BigInt(text!))).toEqual(values.filter(isIn))
    name = `${name}_list`
    await scene.dataSource(name, { n: 'UInt32', v: `Array(${type})` })
    const listed = await imported(`/${name}.ndjson`, ndjson(values.map(value => `[${value}]`)))
    expect(listed.refused).toEqual(alone.refused)
  },
)

test('times fit when they are of the calendar and in range', async () => {
  const part = (digits: number, ...values: readonly number[]) =>
    fc.constantFrom(...values.map(value => String(value).padStart(digits, '0')))
  const texts = fc
    .sample(
      fc.tuple(
        part(4, 0, 1969, 1970, 2023, 2024, 2106, 2107),
        part(2, 0, 1, 2, 4, 12, 13),
        part(2, 0, 1, 7, 8, 29, 30, 31, 32),
        fc.constantFrom(' ', 'T'),
        part(2, 0, 6, 23, 24),
        part(2, 0, 28, 59, 60),
        part(2, 0, 15, 16, 59, 60, 61),
        fc.constantFrom('', '', 'Z', '+01:00'),
      ),
      { numRuns: 3000, seed: 7 },
    )
    .map(
      ([year, month, day, between, hour, minute, second, zone]) =>
        `${year}-${month}-${day}${between}${hour}:${minute}:${second}${zone}`,
    )
  const seconds = (text: string): number | null => {
    const [, date, clock, zone] = /^(.{10}).(.{8})(.*)$/.exec(text)!
    const at = Date.parse(`${date}T${clock}Z`)
    if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 19) !== `${date}T${clock}`) return null
    const value = at / 1000 - (zone === '+01:00' ? 3600 : 0)
    return value >= 0 && value < 2 ** 32 && !text.startsWith('0000') ? value : null
  }
  await scene.dataSource(name, { n: 'UInt32', v: 'DateTime' })
  const { stored, refused } = await imported(`/${name}.csv`, csv(texts))
  const expected = texts.map(seconds)
  expect(refused.map(n => texts[n])).toEqual(texts.filter((_, n) => expected[n] === null))
  expect(stored.map(text => Date.parse(`${text!.replace(' ', 'T')}Z`) / 1000)).toEqual(
    expected.filter(value => value !== null),
  )
})
