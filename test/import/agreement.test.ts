import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { useImportScene } from './use-import-scene.ts'

const scene = useImportScene('csv')
beforeAll(async () => {
  for (const name of [ALONE, REPLACED]) await scene.dataSource(name, COLUMNS)
})

const COLUMNS = {
  i8: 'Int8',
  u64: 'Nullable(UInt64)',
  f: 'Float64',
  d: 'Date',
  t: 'Nullable(DateTime)',
  s: 'String',
  ns: 'LowCardinality(Nullable(String))',
  e: "Enum8('a' = 1, 'b' = 2)",
  l: 'Array(Int16)',
  b: 'Bool',
  n: 'Decimal(5, 2)',
  w: 'Int128',
  m: 'Map(Int32, Array(Nullable(String)))',
  p: 'Tuple(x Int64, y String)',
  g: 'Point',
}

/** Many of these values are valid, and some are not. */
const FIELDS = {
  i8: ['0', '-128', '127', '128', '1.5', '1.0', ' 7 ', '', '+5', '1e1', '99999999999999999999'],
  u64: ['0', '18446744073709551615', '18446744073709551616', '-1', '', '\\N'],
  f: ['0', '-1.5', '1e10', '.5', '1e400', 'nan', '', 'x', '1,5'],
  d: ['2024-02-29', '2023-02-29', '2149-06-06', '2149-06-07', '1969-12-31', '20240105', '', '0000-00-00', '2024-00-10'],
  t: [
    '2024-01-01 10:00:00',
    '2024-01-01T10:00:00Z',
    '2024-01-01',
    '1704103200',
    '',
    'noon',
    '2200-01-01 00:00:00',
    '10:00:00',
    '2024-01-01 10:61:00',
    '1969-12-31 23:59:59',
  ],
  s: ['', 'a', 'a,b', 'say "x"', 'two\nlines', 'ü', ' spaced ', '\\N', "it's"],
  ns: ['', 'a', '\\N', 'b,c'],
  e: ['a', 'b', 'c', '', '1'],
  l: ['[]', '[1, 2]', '[40000]', '[1', '', '[null]', '["x"]', '[1.0]'],
  b: ['true', 'false', '1', 'no', 'maybe', ''],
  n: ['1.230', '-999.99', '12345.1', '1.234', '-', '1e2', ''],
  w: ['170141183460469231731687303715884105727', '170141183460469231731687303715884105728', '7', '-1'],
  m: ['{"1":["http://a/b",null]}', '{}', '{"x":[]}', '{"1":"a"}', ''],
  p: ['{"y":"a/b","x":1}', '{"x":2.0,"y":""}', '{"x":1}', '[1,"a"]'],
  g: ['[1,2]', '(1, 2.5)', '(1)', 'x'],
}

/** What may follow the last field without being a value. */
const ENDS = ['', '', ',', ', ', ',""', ',,']

const record = fc.record(
  Object.fromEntries(
    Object.entries({ ...FIELDS, end: ENDS }).map(([name, values]) => [name, fc.constantFrom(...values)]),
  ),
)

const quoted = (text: string) =>
  /[",\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
const line = (row: Record<string, string>) =>
  Object.keys(COLUMNS)
    .map(name => quoted(row[name]!))
    .join(',') + row.end

/** Created once, to save time. In the first one all rows add up, since only counts are compared; the second one holds those of the last import. */
const ALONE = 'agree_alone'
const REPLACED = 'agree_replaced'

type Imported = { readonly statistics: Record<string, number>; readonly rows: readonly (readonly unknown[])[] }

const statisticsOf = async (name: string, content: string, fields: object): Promise<Imported['statistics']> => {
  const job = await scene.import({ datasource: name, url: scene.give(`/${name}`, content), ...fields })
  expect(job.status).toBe('completed')
  return job.statistics
}

/** The rows of a file, imported into a data source of its own. */
const imported = async (content: string, fields: object = { header: true }): Promise<Imported> => {
  const name = `agree_${Math.random().toString(36).slice(2)}`
  await scene.dataSource(name, COLUMNS)
  return { statistics: await statisticsOf(name, content, fields), rows: await scene.table(name) }
}

test('a row of CSV has the same outcome and values alone and beside any other rows', async () => {
  const header = Object.keys(COLUMNS).join(',')
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 4, maxLength: 24 }), async rows => {
      const split = await imported([header, ...rows.map(line), 'ragged', ''].join('\n'))
      const { rows_written: written, quarantine_rows: bad, invalid_lines: invalid } = split.statistics
      const tooLong = rows.filter(({ end }) => end === ',,').length
      expect([written! + bad!, invalid]).toEqual([rows.length - tooLong, 1 + tooLong])
      // Rows that all fit are loaded in one pass.
      const sieved = await imported([header, ...rows.map(line), '"broken"x', ''].join('\n'))
      expect(sieved.rows).toEqual(split.rows)
      expect(sieved.statistics).toMatchObject({ rows_written: written, quarantine_rows: bad, invalid_lines: invalid })
      const good: string[] = []
      for (const row of rows) if (await fits(header, row)) good.push(line(row))
      expect(good).toHaveLength(written!)
      const alone = await imported([header, ...good, ''].join('\n'))
      expect(alone.statistics).toMatchObject({ rows_written: good.length, quarantine_rows: 0, invalid_lines: 0 })
      expect(alone.rows).toEqual(split.rows)
    }),
    { numRuns: 3 },
  )
}, 240_000)

/** Whether an import of this row alone writes it. */
const known = new Map<string, boolean>()
const fits = async (header: string, row: Record<string, string>): Promise<boolean> => {
  const text = line(row)
  const before = known.get(text)
  if (before !== undefined) return before
  const { rows_written } = await statisticsOf(ALONE, `${header}\n${text}\n`, { header: true })
  known.set(text, rows_written === 1)
  return rows_written === 1
}

/** Keys and values of NDJSON. With some of them a line is not a valid object. */
const PAIRS = [
  '"i8":1',
  '"i8":1.0',
  '"i8":300',
  '"i8":"7"',
  '"i8":01',
  '"i8":-0',
  '"u64":18446744073709551615',
  '"u64":null',
  '"f":1e400',
  '"f":.5',
  '"s":"a\\u0000b"',
  '"s":"\\ud800"',
  '"s":"\\udc00"',
  '"s":"\\x"',
  '"s":{"a":1,"a":2}',
  '"s":[1,]',
  '"ns":true',
  '"l":[1,2]',
  '"l":[70000]',
  '"l":["x"]',
  '"l":[1.0]',
  '"other":{"a":[{}]}',
  '"other":01',
  '"other":1,"other":2',
]
const SURE = '"d":"2024-02-29","e":"a","b":true,"n":1.50,"w":1,"m":{"1":["a/b"]},"p":{"y":"","x":1},"g":[0,0]'

/** Keys that every row requires. */
const NEEDED = ['"i8":1', '"s":"x"', '"l":[]', '"f":1']

/** Objects that fill a line, share it, or are broken. */
const FORMS = [
  (pairs: string) => `{${SURE},${pairs}}`,
  (pairs: string) => ` { ${pairs} , ${SURE} } `,
  (pairs: string) => `{${SURE},${pairs}},`,
  (pairs: string) => `{${SURE},${pairs}} , `,
  (pairs: string) => `{${SURE},${pairs}}{${SURE}}`,
  (pairs: string) => `{${SURE},${pairs}},{${SURE}}`,
  (pairs: string) => `{${SURE},${pairs}`,
  (pairs: string) => `${pairs},${SURE}}`,
  (pairs: string) => `[{${SURE},${pairs}}]`,
]

const keyOf = (pair: string): string => pair.slice(0, pair.indexOf(':'))

const object = fc
  .tuple(fc.nat(FORMS.length + 5), fc.uniqueArray(fc.constantFrom(...PAIRS), { minLength: 1, maxLength: 3 }))
  .map(([form, pairs]) => {
    const needed = NEEDED.filter(pair => !pairs.some(other => keyOf(other) === keyOf(pair)))
    return (FORMS[form] ?? FORMS[0]!)([...needed, ...pairs].join(','))
  })

/** A valid line: content without any is treated differently. */
const FIRST = `{${SURE},"f":0,"i8":0,"s":"first","l":[]}`

test('a line of NDJSON has the same outcome and values alone and beside any other lines', async () => {
  const fates = new Map<string, Imported>()
  const fateOf = async (text: string): Promise<Imported> => {
    const before = fates.get(text)
    if (before !== undefined) return before
    const fields = { format: 'ndjson', mode: 'replace' }
    const statistics = await statisticsOf(REPLACED, `${FIRST}\n${text}\n`, fields)
    const fate = { statistics, rows: await scene.table(REPLACED) }
    fates.set(text, fate)
    return fate
  }
  await fc.assert(
    fc.asyncProperty(fc.array(object, { minLength: 4, maxLength: 16 }), async lines => {
      const all = await imported([FIRST, ...lines, ''].join('\n'), { format: 'ndjson' })
      const alone: Imported[] = []
      for (const text of lines) alone.push(await fateOf(text))
      const sum = (figure: string, first: number): number =>
        alone.reduce((total, { statistics }) => total + statistics[figure]! - first, first)
      expect(all.statistics).toMatchObject({
        rows_written: sum('rows_written', 1),
        quarantine_rows: sum('quarantine_rows', 0),
        invalid_lines: sum('invalid_lines', 0),
      })
      const others = ({ rows }: Imported) => rows.filter(row => !row.includes('first'))
      expect(sorted(others(all))).toEqual(sorted(alone.flatMap(others)))
    }),
    { numRuns: 5 },
  )
}, 240_000)

const sorted = (rows: Imported['rows']): readonly string[] => rows.map(row => JSON.stringify(row)).sort()
