import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  cutsColumn,
  cutsSql,
  findRangeKeys,
  integerSql,
  type RangeKey,
  rangeConditions,
} from '../../src/executors/populate/key-ranges.ts'
import { quoteText } from '../../src/warehouse/quote-text.ts'
import { type DataScene, materialized, openDataScene } from './scene.ts'

/** Sources of many rows, in ranges. */
let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
})
afterAll(() => scene?.stop())

const command = (sql: string) => scene.warehouse.command({ workspace: 'default', sql })

const filterSetting = (name: string, condition: string): string =>
  `additional_table_filters = {'live.${name}': ${quoteText(condition)}}`

/** The cuts that a populate would make for that many ranges. */
const findCuts = async (key: RangeKey, name: string, ranges: number): Promise<readonly bigint[]> => {
  const count = Number(await scene.value(`SELECT count() FROM ${name}`))
  const sql = cutsSql(key, { table: name, condition: '1', count }, ranges)
  const [found] = await scene.rows<Record<typeof cutsColumn, readonly string[]>>(sql)
  return [...new Set(found![cutsColumn])].map(BigInt)
}

describe('every row is in exactly one range of a column:', () => {
  /** With the extreme values of each type, and with the repeated hour of its zone. */
  test.each([
    ['Int8', 'toInt8(rand64(number))', ['-128', '127']],
    ['UInt64', 'rand64(number)', ['0', '18446744073709551615']],
    ['Int64', 'toInt64(rand64(number))', ['-9223372036854775808', '9223372036854775807']],
    ['Nullable(Int32)', 'if(number % 7 = 0, NULL, toInt32(rand64(number)))', ['NULL', '-2147483648']],
    ['Date', 'toDate(toUInt16(rand64(number)))', ["'1970-01-01'", "'2149-06-06'"]],
    [
      'Nullable(Date32)',
      "if(number % 5 = 0, NULL, toDate32('1900-01-01') + rand64(number) % 146000)",
      ["'2299-12-31'"],
    ],
    ["DateTime('Europe/Berlin')", "toDateTime('2026-10-25 00:00:00', 'UTC') + number * 7", ["'2026-10-25 02:30:00'"]],
    ['DateTime', 'toDateTime(toUInt32(rand64(number)))', ["'2106-02-07 06:28:15'"]],
    [
      "DateTime64(3, 'America/New_York')",
      "toDateTime64('2026-11-01 05:00:00', 3, 'UTC') + number",
      ["'1900-01-01 00:00:00.001'", "'2299-12-31 00:00:00.999'"],
    ],
    [
      'DateTime64(9)',
      "toDateTime64('2026-01-01', 9) + toIntervalNanosecond(number * 1001)",
      ["'1925-01-01 00:00:00.000000001'"],
    ],
    ['Nullable(DateTime64(6))', 'if(number % 2 = 0, NULL, now64(6) + number)', []],
  ])('%s', async (type, value, ends) => {
    const name = `of_${type.replaceAll(/\W+/g, '_')}`
    await scene.dataSource(name, { c: type }, { sortingKey: 'c' })
    await command(`INSERT INTO ${name} SELECT CAST(${value}, ${quoteText(type)}) FROM numbers(2000)`)
    for (const end of ends) await command(`INSERT INTO ${name} VALUES (${end})`)
    const key = findRangeKeys({ columns: [{ name: 'c', type }], sortingKey: 'c' })[0]!
    const rows = Number(await scene.value(`SELECT count() FROM ${name}`))
    const integers = await scene.rows<{ value: string }>(
      `SELECT DISTINCT toString(${integerSql(key, 'assumeNotNull(c)')}) AS value FROM ${name} WHERE isNotNull(c)`,
    )
    const values = integers.map(({ value }) => BigInt(value)).sort((a, b) => (a < b ? -1 : 1))
    await fc.assert(
      // Whichever values are chosen, including the least and the greatest.
      fc.asyncProperty(fc.subarray(values, { minLength: 1, maxLength: Math.min(63, values.length) }), async bounds => {
        const conditions = rangeConditions(key, bounds)
        const times = conditions.map(condition => `ifNull(${condition}, 0)`).join(' + ')
        expect(await scene.value(`SELECT countIf((${times}) != 1) FROM ${name}`)).toBe('0')
        let found = 0
        for (const condition of conditions.slice(0, 8)) {
          const sql = `SELECT count() FROM ${name} SETTINGS ${filterSetting(name, condition)}`
          const filtered = Number(await scene.value(sql))
          expect(filtered).toBe(Number(await scene.value(`SELECT count() FROM ${name} WHERE ${condition}`)))
          found += filtered
        }
        if (conditions.length <= 8) expect(found).toBe(rows)
      }),
      { numRuns: 8, examples: [[[values[0]!, values.at(-1)!]], [[...(await findCuts(key, name, 64))]]] },
    )
  })
})

test('ranges are looked up in the index, so all of them together read the rows once', async () => {
  for (const type of ['UInt64', 'Nullable(Date32)', "DateTime('Europe/Berlin')", 'DateTime64(3)']) {
    const name = `indexed_${type.replaceAll(/\W+/g, '_')}`
    await scene.dataSource(name, { c: type }, { sortingKey: 'c' })
    await command(`INSERT INTO ${name} SELECT number % 50000 FROM numbers(500000)`)
    const key = findRangeKeys({ columns: [{ name: 'c', type }], sortingKey: 'c' })[0]!
    const conditions = rangeConditions(key, await findCuts(key, name, 10))
    for (const filter of [`WHERE ${conditions[5]}`, `SETTINGS ${filterSetting(name, conditions[5]!)}`]) {
      const plan = await scene.rows<{ explain: string }>(
        `EXPLAIN indexes = 1 SELECT sum(toUInt64(c)) FROM ${name} ${filter}`,
      )
      const [, read, all] = /Granules: (\d+)\/(\d+)/.exec(plan.map(({ explain }) => explain).join('\n')) ?? []
      expect([type, filter, Number(read) / Number(all) < 0.25]).toEqual([type, filter, true])
    }
  }
})

const MANY = 3_000_000

describe('a populate of many rows', () => {
  const populate = async (more = {}) => {
    const job = await scene.run({ populate: { pipe: 'of_many', truncate: true, ...more } })
    expect(job.error).toBeNull()
    return job
  }
  const sums = () => scene.value('SELECT (sum(rows), sum(total)) FROM sums')
  beforeAll(async () => {
    await scene.dataSource(
      'many',
      { at: "Nullable(DateTime('Europe/Berlin'))", id: 'UInt64', version: 'UInt8' },
      { sortingKey: 'at, id', engine: 'ReplacingMergeTree(version)' },
    )
    // Twice each, so that FINAL has an effect; some times are NULL.
    const rows = (version: number) => `SELECT if(number % 1000 = 0, NULL, toDateTime('2026-01-01') + number * 5) AS at,
      number AS id, ${version} AS version FROM numbers(${MANY / 2})`
    for (const version of [1, 2]) {
      const job = await scene.run({ query: rows(version), datasource: 'many' })
      expect(job.error).toBeNull()
    }
    await scene.pipe('of_many', [
      {
        name: 'sum',
        sql: 'SELECT toMonth(at) AS month, count() AS rows, sum(id * version) AS total FROM many FINAL GROUP BY month',
        role: materialized('sums'),
      },
    ])
  }, 120_000)

  test('runs in steps with their own ids and statuses, and reads every row once', async () => {
    const { progress, statistics } = await populate()
    expect(progress.steps).toEqual(Array(3).fill({ id: expect.any(String), status: 'done' }))
    expect(new Set(progress.steps.map(({ id }: { id: string }) => id)).size).toBe(3)
    expect(progress.message).toBe('3 of 3 ranges')
    expect(statistics.rows_read).toBe(MANY)
    const half = BigInt(MANY / 2)
    expect(await sums()).toBe(`${half},${half * (half - 1n)}`)
  }, 120_000)

  test('applies its condition in every step', async () => {
    await populate({ condition: 'id % 2 = 0 OR id = 1' })
    const [rows] = (await sums()).split(',')
    expect(Number(rows)).toBe(MANY / 4 + 1)
  }, 120_000)

  test('reports a wrong condition as it was written, before the first step', async () => {
    for (const [condition, message] of [
      ['nope = 1', /^Unknown expression or function identifier `nope`\.( Maybe you meant: \[.*\]\.)?$/],
      ["'abc'", /^(?!.*c__)(?!.*reinterpret)/],
    ] as const) {
      const { error, progress } = await scene.run({ populate: { pipe: 'of_many', condition } })
      expect(error).toEqual({ code: 'sql_error', message: expect.stringMatching(message) })
      expect(progress).toBeNull()
    }
  }, 120_000)

  test('runs in steps when it is limited to a share of the rows', async () => {
    const { progress } = await populate({ subset: 0.01 })
    expect(progress.steps).toHaveLength(3)
    const [rows] = (await sums()).split(',')
    expect(Number(rows)).toBeGreaterThan(MANY / 2 / 200)
    expect(Number(rows)).toBeLessThan(MANY / 20)
  }, 120_000)
})

test('empty ranges are no steps, since a node may return a row even for no rows', async () => {
  await scene.dataSource('gaps', { n: 'Int64', x: 'UInt8' }, { sortingKey: 'n' })
  // Most have the least possible value: nothing is before it.
  const rows = 'SELECT if(number % 100 = 0, number, 0)::Int64 AS n, 7 AS x FROM numbers(5000000)'
  expect((await scene.run({ query: rows, datasource: 'gaps' })).error).toBeNull()
  await scene.pipe('of_gaps', [
    { name: 'least', sql: 'SELECT min(x) AS x, count() AS n FROM gaps', role: materialized('least_of') },
  ])
  const job = await scene.run({ populate: { pipe: 'of_gaps', truncate: true } })
  expect(job.progress.steps).toHaveLength(1)
  expect(await scene.value('SELECT (min(x), sum(n)) FROM least_of')).toBe('7,5000000')
}, 120_000)

test.each([
  ['is not sorted', null],
  ['is sorted by a string', 'text'],
])(
  'a source of many rows that %s is one step',
  async (_, sortingKey) => {
    const name = `plain_${sortingKey}`
    await scene.dataSource(name, { text: 'String' }, { sortingKey })
    await scene.run({ query: 'SELECT toString(number % 9) AS text FROM numbers(2000000)', datasource: name })
    await scene.pipe(`from_${name}`, [
      { name: 'each', sql: `SELECT text, count() AS n FROM ${name} GROUP BY text`, role: materialized(`into_${name}`) },
    ])
    const job = await scene.run({ populate: { pipe: `from_${name}` } })
    expect([job.error, job.progress.message]).toEqual([null, '1 of 1 partitions'])
  },
  60_000,
)

describe('a populate of a source with 99 % of its rows on one day of ten years', () => {
  const SKEWED = 4_000_000
  const at = (number: string) =>
    `toDateTime('2016-01-01', 'UTC') + if(${number} % 100 = 0, ${number} * 78, 86400 * 1500 + ${number} % 86400)`
  /** The share of all rows that the largest step read; each step makes one row. */
  const populated = async (name: string, sortingKey: string, partitionKey: string | null) => {
    await scene.dataSource(
      name,
      { day: 'Date', at: "DateTime('UTC')", id: 'UInt64', text: 'String' },
      { sortingKey, partitionKey },
    )
    const query = `SELECT toDate(${at('number')}) AS day, ${at('number')} AS at, number AS id, '' AS text FROM numbers(${SKEWED})`
    expect((await scene.run({ query, datasource: name })).error).toBeNull()
    const sql = `SELECT count() AS rows, sum(id) AS total FROM ${name}`
    await scene.pipe(`of_${name}`, [{ name: `count_${name}`, sql, role: materialized(`steps_${name}`) }])
    const job = await scene.run({ populate: { pipe: `of_${name}` } })
    expect(job.error).toBeNull()
    expect(job.progress).toMatchObject({
      percentage: 100,
      steps: expect.arrayContaining([{ id: expect.any(String), status: 'done' }]),
    })
    const steps = `steps_${name}`
    const many = BigInt(SKEWED)
    expect(await scene.value(`SELECT (sum(rows), sum(total)) FROM ${steps}`)).toBe(
      `${many},${(many * (many - 1n)) / 2n}`,
    )
    expect(job.progress.steps).toHaveLength(Number(await scene.value(`SELECT count() FROM ${steps}`)))
    return Number(await scene.value(`SELECT max(rows) FROM ${steps}`)) / SKEWED
  }

  test.each([
    ['sorted by its time', 'at', null],
    ['sorted by its day, then by something else', 'day, id', null],
    ['in partitions', 'at', 'toYYYYMM(day)'],
  ])(
    '%s, runs in steps of at most a third',
    async (_, sortingKey, partitionKey) => {
      const name = `skewed_${sortingKey.replaceAll(/\W+/g, '_')}${partitionKey === null ? '' : '_parts'}`
      expect(await populated(name, sortingKey, partitionKey)).toBeLessThan(1 / 3)
    },
    120_000,
  )

  test('sorted only by day, reads that day in one step', async () => {
    expect(await populated('skewed_whole', 'day, text', null)).toBeGreaterThan(0.99)
  }, 120_000)
})
