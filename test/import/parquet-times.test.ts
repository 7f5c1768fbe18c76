import { describe, expect, test } from 'vitest'
import { INT64, INT96, int64, parquetOf } from './parquet-footer.ts'
import { useParquet } from './parquet-scene.ts'

const parquet = useParquet()

/** Of `ConvertedType`. */
const TIME_MICROS = 8

test('times out of range are quarantined with their values', async () => {
  const times = [
    "'infinity'",
    "'-infinity'",
    "'0001-01-01 00:00:00'",
    "'9999-12-31 23:59:59.999'",
    "'10000-01-01 00:00:00'",
  ]
  const values = [...times, 'NULL'].map((time, id) => `(${id}, ${time}::TIMESTAMP, ${time}::TIMESTAMP_MS)`)
  const file = await parquet.fromDuckdb(`SELECT * FROM (VALUES ${values.join(', ')}) AS rows(id, micro, milli)`)
  expect(await parquet.load(file, { create: true })).toMatchObject({
    statistics: { rows_written: 3, quarantine_rows: 3 },
  })
  expect(await parquet.table(parquet.name, 'id')).toEqual([
    ['2', '0001-01-01 00:00:00.000000', '0001-01-01 00:00:00.000'],
    ['3', '9999-12-31 23:59:59.999000', '9999-12-31 23:59:59.999'],
    ['5', null, null],
  ])
  const quarantined = `SELECT id, micro, c__error_column AS columns, c__error AS errors FROM ${parquet.name}_quarantine ORDER BY id`
  expect(await parquet.rows(quarantined)).toEqual(
    [
      ['0', '9223372036854775807 microseconds since 1970'],
      ['1', '-9223372036854775807 microseconds since 1970'],
      ['4', '253402300800000000 microseconds since 1970'],
    ].map(([id, micro]) => ({
      id,
      micro,
      columns: ['micro', 'milli'],
      errors: ['it is out of range', 'it is out of range'],
    })),
  )
  for (const type of ['String', 'Nullable(DateTime)', 'DateTime64(3)']) {
    parquet.renew()
    await parquet.dataSource(parquet.name, { id: 'Int32', micro: type, milli: 'Nullable(String)' })
    expect(await parquet.load(file)).toMatchObject({
      statistics: { quarantine_rows: type === 'Nullable(DateTime)' ? 5 : 4 },
    })
  }
})

test('times are the same in a column of another zone, in nested types and in the repeated hour', async () => {
  const times = ['2020-11-01 05:30:00', '2020-11-01 06:30:00', '2020-07-01 00:00:00']
  const rows = times.map((time, id) => {
    const [at, day] = [`'${time}+00'::TIMESTAMPTZ`, `DATE '${id === 2 ? '1850' : '2020'}-01-01'`]
    return `SELECT ${id} AS id, ${at} AS top, [${at}, NULL] AS list, {'DateTime64(6)': ${at}, 'day': ${day}} AS pair, MAP {'k': ${at}} AS map`
  })
  const file = await parquet.fromDuckdb(rows.join(' UNION ALL '))
  const zone = "'America/New_York'"
  await parquet.dataSource(parquet.name, {
    id: 'Int32',
    top: `DateTime64(6, ${zone})`,
    list: `Array(Nullable(DateTime(${zone})))`,
    pair: `Tuple(\`DateTime64(6)\` DateTime64(3, ${zone}), day String)`,
    map: `Map(String, DateTime64(6, ${zone}))`,
  })
  expect(await parquet.load(file)).toMatchObject({ statistics: { rows_written: 3, quarantine_rows: 0 } })
  const utc = (value: string) => `toString(toTimeZone(${value}, 'UTC'))`
  const sql = `SELECT ${utc('top')} AS a, ${utc('list[1]')} AS b, ${utc('tupleElement(pair, 1)')} AS c, ${utc("map['k']")} AS d, list[2] AS e, pair.day AS f
    FROM ${parquet.name} ORDER BY id`
  expect(await parquet.rows(sql)).toEqual(
    times.map((time, id) => ({
      a: `${time}.000000`,
      b: time,
      c: `${time}.000`,
      d: `${time}.000000`,
      e: null,
      f: `${id === 2 ? '1850' : '2020'}-01-01`,
    })),
  )
})

describe('times without a date', () => {
  const TIMES = ['10:20:30.123456', '00:00:00', '23:59:59.999999', '24:00:00']
  const LONG = ['10:20:30.123456', '00:00:00.000000', '23:59:59.999999', '24:00:00.000000']
  const SHORT = ['10:20:30', '00:00:00', '23:59:59', '24:00:00']

  /** Each of them, and NULL, by itself and nested. */
  const file = (): Promise<Buffer> => {
    const rows = [...TIMES.map(time => `'${time}'`), 'NULL'].map((value, id) => {
      const time = `${value}::TIME`
      const at = "TIMESTAMP '1970-01-01 10:00:00'"
      return `SELECT ${id} AS id, ${time} AS t, ${at} AS at, [${time}, NULL] AS list, {'at': ${at}, 't': ${time}, 'Time64(6)': 1} AS pair,
        MAP {'k': ${time}} AS map, [{'deep': [${time}]}] AS deep`
    })
    return parquet.fromDuckdb(rows.join(' UNION ALL '))
  }
  const column = async (name: string) =>
    (await parquet.rows<Record<string, unknown>>(`SELECT ${name} AS v FROM ${parquet.name} ORDER BY id`)).map(
      ({ v }) => v,
    )

  test('are written to Time columns, where a DateTime of 1970 is not', async () => {
    const content = await parquet.fromDuckdb(
      [...TIMES.map(time => `'${time}'`), 'NULL']
        .map((time, id) => `SELECT ${id} AS id, ${time}::TIME AS t, TIMESTAMP '1970-01-01 10:00:00' AS at`)
        .join(' UNION ALL '),
    )
    const loaded = async (types: Record<string, string>) => {
      await parquet.dataSource(parquet.renew(), { id: 'Int32', at: 'DateTime', ...types })
      const { statistics } = await parquet.load(content)
      return [statistics.rows_written, statistics.quarantine_rows]
    }
    expect(await loaded({ t: 'Time64(6)' })).toEqual([4, 1])
    expect(await column('t')).toEqual(LONG)
    const [missing] = await parquet.rows(`SELECT id, t, c__error_column, c__error FROM ${parquet.name}_quarantine`)
    expect(missing).toEqual({ id: '4', t: null, c__error_column: ['t'], c__error: ['it is missing'] })
    expect(await loaded({ t: 'Nullable(Time64(3))' })).toEqual([5, 0])
    expect(await column('t')).toEqual(['10:20:30.123', '00:00:00.000', '23:59:59.999', '24:00:00.000', null])
    expect(await loaded({ t: 'Nullable(Time)' })).toEqual([5, 0])
    expect(await column('t')).toEqual([...SHORT, null])
    expect(await loaded({ t: 'Nullable(String)' })).toEqual([5, 0])
    expect(await column('t')).toEqual([...LONG, null])
    expect(await loaded({ t: 'Nullable(Time)', at: 'Time' })).toEqual([0, 5])
    expect(await loaded({ t: 'Nullable(DateTime64(6))' })).toEqual([1, 4])
    const [day] = await parquet.rows(`SELECT t, c__error FROM ${parquet.name}_quarantine ORDER BY id LIMIT 1`)
    expect(day).toEqual({ t: LONG[0], c__error: ['t is not a valid Nullable(DateTime64(6))'] })
  })

  const MADE = {
    t: 'Nullable(Time64(6))',
    list: 'Array(Nullable(Time64(6)))',
    pair: "Tuple(at Nullable(DateTime64(6, 'UTC')), t Nullable(Time64(6)), `Time64(6)` Nullable(Int32))",
    map: 'Map(String, Nullable(Time64(6)))',
    deep: 'Array(Tuple(deep Array(Nullable(Time64(6)))))',
  }
  const expectAll = async (times: readonly (string | null)[], at: string) => {
    expect(await column('t')).toEqual(times)
    expect(await column('list')).toEqual(times.map(time => [time, null]))
    expect(await column('pair')).toEqual(times.map(t => ({ at, t, 'Time64(6)': 1 })))
    expect(await column('map')).toEqual(times.map(time => ({ k: time })))
    expect(await column('deep')).toEqual(times.map(time => [{ deep: [time] }]))
  }

  test('create a data source with Time columns, nested too, and are shown in the inferred first rows', async () => {
    const content = await file()
    const { body } = await parquet.call('POST', '/v1/datasources/infer', {
      url: parquet.give('/first.parquet', content),
    })
    const shown = body.schema.map((column: { name: string; type: string }) => [column.name, column.type])
    expect(Object.fromEntries(shown)).toMatchObject(MADE)
    expect(body.rows[0]).toMatchObject({ t: LONG[0], list: [LONG[0], null], pair: { t: LONG[0] }, map: { k: LONG[0] } })
    expect(body.rows[3].deep).toEqual([{ deep: [LONG[3]] }])
    expect(await parquet.load(content, { create: true })).toMatchObject({
      statistics: { rows_written: 5, quarantine_rows: 0 },
    })
    await expectAll([...LONG, null], '1970-01-01 10:00:00.000000')
  })

  test('are written to nested columns of another type, beside times of another zone', async () => {
    const pair = (zone: string) => `Tuple(at DateTime('${zone}'), t Nullable(Time), \`Time64(6)\` UInt8)`
    const others = {
      t: 'Nullable(Time)',
      list: 'Array(Nullable(Time))',
      map: 'Map(String, Nullable(Time))',
      deep: 'Array(Tuple(deep Array(Nullable(Time))))',
    }
    for (const [zone, at] of [
      ['UTC', '1970-01-01 10:00:00'],
      ['America/New_York', '1970-01-01 05:00:00'],
    ] as const) {
      await parquet.dataSource(parquet.renew(), { id: 'Int32', at: 'DateTime', ...others, pair: pair(zone) })
      expect(await parquet.load(await file())).toMatchObject({ statistics: { rows_written: 5, quarantine_rows: 0 } })
      await expectAll([...SHORT, null], at)
    }
    const texts = {
      t: 'Nullable(String)',
      list: 'Array(Nullable(String))',
      pair: 'String',
      map: 'String',
      deep: 'String',
    }
    await parquet.dataSource(parquet.renew(), { id: 'Int32', at: 'DateTime', ...texts })
    expect(await parquet.load(await file())).toMatchObject({ statistics: { rows_written: 5, quarantine_rows: 0 } })
    expect(await column('list')).toEqual([...LONG, null].map(time => [time, null]))
    expect((await column('deep'))[0]).toBe(JSON.stringify([{ deep: [LONG[0]] }]))
  })

  test('in lists are quarantined in a DateTime column', async () => {
    await parquet.dataSource(parquet.name, {
      id: 'Int32',
      at: 'DateTime',
      ...MADE,
      list: "Array(Nullable(DateTime64(6, 'UTC')))",
    })
    expect(await parquet.load(await file())).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 4 } })
    const sql = `SELECT list, c__error_column AS wrong FROM ${parquet.name}_quarantine ORDER BY id LIMIT 1`
    expect(await parquet.rows(sql)).toEqual([{ list: JSON.stringify([LONG[0], null]), wrong: ['list'] }])
  })

  test('beside dates out of range keep their values', async () => {
    const row = (id: number, date: string) =>
      `SELECT ${id} AS id, [{'t': TIME '10:20:30', 'day': DATE '${date}', 'at': TIMESTAMPTZ '2020-01-01 00:00:00+00'}] AS list`
    const content = await parquet.fromDuckdb(`${row(0, '2020-01-01')} UNION ALL ${row(1, '1850-01-01')}`)
    expect(await parquet.load(content, { create: true })).toMatchObject({
      statistics: { rows_written: 1, quarantine_rows: 1 },
    })
    const at = '2020-01-01 00:00:00.000000'
    expect(await column('list')).toEqual([[{ t: '10:20:30.000000', day: '2020-01-01', at }]])
    const [{ list } = { list: '' }] = await parquet.rows<{ list: string }>(
      `SELECT list FROM ${parquet.name}_quarantine`,
    )
    expect(JSON.parse(list)).toEqual([{ t: '10:20:30.000000', day: '1850-01-01', at }])
  })

  test('with nanoseconds or a zone are read as times', async () => {
    const content = await parquet.fromDuckdb(
      `SELECT [TIME_NS '10:20:30.123456789'] AS ns, ['10:20:30+02'::TIMETZ] AS zoned`,
    )
    expect(await parquet.load(content, { create: true })).toMatchObject({ statistics: { rows_written: 1 } })
    expect(await parquet.table(parquet.name)).toEqual([['["10:20:30.123456789"]', '["08:20:30.000000"]']])
  })

  test('outside a day are quarantined with their values, as older writers declare them', async () => {
    const hour = 3_600_000_000n
    const values = [hour, 24n * hour, 24n * hour + 1n, -1n, 2000n * hour]
    const content = parquetOf({
      type: INT64,
      values: values.map(int64),
      rows: 5n,
      name: 'v',
      convertedType: TIME_MICROS,
    })
    for (const type of ['Time64(6)', 'String', 'Nullable(Time)']) {
      await parquet.dataSource(parquet.renew(), { v: type })
      expect(await parquet.load(content)).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 3 } })
      const sql = `SELECT v, c__error AS why FROM ${parquet.name}_quarantine ORDER BY v`
      expect(await parquet.rows(sql)).toEqual(
        ['-0.000001 seconds', '7200000 seconds', '86400.000001 seconds'].map(v => ({ v, why: ['it is out of range'] })),
      )
    }
  })
})

test('nested times out of range are quarantined with the values of the file', async () => {
  const rows = ['2020-01-01', 'infinity', '10000-01-01'].map((time, id) => {
    const at = `'${time}'::TIMESTAMP`
    return `SELECT ${id} AS id, [${at}, TIMESTAMP '2021-01-01 01:02:03', NULL] AS list, MAP {'k': ${at}} AS map,
      {'DateTime64(6)': ${at}, 'day': DATE '${id === 2 ? '1850' : '2020'}-01-01', 'ms': ${at}::TIMESTAMP_MS} AS pair`
  })
  const file = await parquet.fromDuckdb(rows.join(' UNION ALL '))
  const [fine, end] = ['2021-01-01 01:02:03.000000', '9223372036854775807 microseconds since 1970']
  const later = '253402300800000000 microseconds since 1970'
  const expected = (mark: string) =>
    [
      { at: end, day: '2020-01-01', ms: '9223372036854775807 milliseconds since 1970' },
      { at: later, day: '1850-01-01', ms: '253402300800000 milliseconds since 1970' },
    ].map(({ at, day, ms }, index) => ({
      id: `${index + 1}`,
      list: JSON.stringify([at, fine + mark, null]),
      map: JSON.stringify({ k: at }),
      pair: JSON.stringify({ 'DateTime64(6)': at, day, ms }),
    }))
  for (const [zone, mark] of [
    ["'UTC'", ''],
    ["'America/New_York'", 'Z'],
  ] as const) {
    parquet.renew()
    await parquet.dataSource(parquet.name, {
      id: 'Int32',
      list: `Array(Nullable(DateTime64(6, ${zone})))`,
      map: `Map(String, Nullable(DateTime64(6, ${zone})))`,
      pair: `Tuple(\`DateTime64(6)\` DateTime64(6, ${zone}), day Date32, ms DateTime64(3, ${zone}))`,
    })
    expect(await parquet.load(file)).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 2 } })
    const sql = `SELECT id, list, map, pair FROM ${parquet.name}_quarantine ORDER BY id`
    expect(await parquet.rows(sql)).toEqual(expected(mark))
  }
})

describe('INT96 times', () => {
  /** Nanoseconds of a day, and the Julian day. */
  const int96 = (day: number, nanoseconds: bigint): Buffer => {
    const days = Buffer.alloc(4)
    days.writeInt32LE(day)
    return Buffer.concat([int64(nanoseconds), days])
  }
  const EPOCH = 2_440_588
  const HOUR = 3_600_000_000_000n
  const file = (values: readonly (Buffer | null)[]): Buffer =>
    parquetOf({ type: INT96, values, rows: BigInt(values.length), name: 'v' })
  const stored = () => parquet.rows<{ v: string | null }>(`SELECT toString(v) AS v FROM ${parquet.name} ORDER BY v`)

  test('are read with nanoseconds', async () => {
    const content = file([int96(EPOCH, 0n), int96(EPOCH + 1, HOUR + 1n), int96(EPOCH - 1, 24n * HOUR - 1n), null])
    expect(await parquet.load(content, { create: true })).toMatchObject({ statistics: { rows_written: 4 } })
    expect((await stored()).map(({ v }) => v)).toEqual([
      '1969-12-31 23:59:59.999999999',
      '1970-01-01 00:00:00.000000000',
      '1970-01-02 01:00:00.000000001',
      null,
    ])
  })

  test('out of range make their rows invalid, or are text', async () => {
    const days = { '0001-01-01': 1_721_426, '1582-10-14': 2_299_160, '9999-12-31': 5_373_484, '1970-01-01': EPOCH }
    const values = Object.values(days).map(day => int96(day, 10n * HOUR + 5n))
    const texts = Object.keys(days).map(day => `${day} 10:00:00.000000005`)
    for (const content of [file(values), file([...values, null])]) {
      const { body } = await parquet.call('POST', '/v1/datasources/infer', {
        url: parquet.give('/int96.parquet', content),
      })
      expect(body.schema[0].type).toMatch(/DateTime64\(9, 'UTC'\)/)
      expect(body.rows.map(({ v }: { v: string | null }) => v).slice(0, 4)).toEqual(texts)
      await parquet.dataSource(parquet.renew(), { v: 'DateTime64(9)' })
      const bad = content.length > file(values).length ? 4 : 3
      expect(await parquet.load(content)).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: bad } })
      expect(await stored()).toEqual([{ v: texts[3] }])
      const sql = `SELECT v, c__error AS why FROM ${parquet.name}_quarantine WHERE isNotNull(v) ORDER BY v`
      expect(await parquet.rows(sql)).toEqual(
        texts.slice(0, 3).map(v => ({ v, why: ['v is not a valid DateTime64(9)'] })),
      )
      for (const [type, shown, length] of [
        ['Nullable(String)', 'v', 29],
        ["Nullable(DateTime64(3, 'UTC'))", 'v', 23],
        ["Nullable(DateTime64(0, 'Asia/Kolkata'))", "toTimeZone(v, 'UTC')", 19],
      ] as const) {
        await parquet.dataSource(parquet.renew(), { v: type })
        expect(await parquet.load(content)).toMatchObject({ statistics: { quarantine_rows: 0 } })
        const sql = `SELECT toString(${shown}) AS v FROM ${parquet.name} WHERE isNotNull(v) ORDER BY v`
        const found = await parquet.rows<{ v: string }>(sql)
        expect(found.map(({ v }) => v)).toEqual(texts.map(text => text.slice(0, length)).sort())
      }
    }
  })
})
