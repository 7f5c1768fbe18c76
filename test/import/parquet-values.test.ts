import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ImportScene, openImportScene, WORKSPACE } from './scene.ts'

let scene: ImportScene
let folder: string
let name: string
let count = 0

beforeAll(async () => {
  scene = await openImportScene()
  folder = await mkdtemp(join(tmpdir(), 'millrace-parquet-'))
})
afterAll(async () => {
  await scene?.stop()
  await rm(folder, { recursive: true })
})

beforeEach(() => {
  name = `parquet_${++count}`
})

const load = (content: Uint8Array, fields: Record<string, unknown> = {}) =>
  scene.import({ datasource: name, url: scene.give(`/${name}.parquet`, content), ...fields })

/** A file as the engine writes it. */
const parquet = async (select: string): Promise<Buffer> => {
  const path = join(scene.warehouse.importFolder(WORKSPACE)!, `${name}.parquet`)
  await scene.warehouse.command({
    workspace: WORKSPACE,
    sql: `INSERT INTO FUNCTION file('${path}', 'Parquet') ${select}`,
    settings: { engine_file_truncate_on_insert: 1 },
  })
  return readFile(path)
}

/** A file as DuckDB writes it. */
const fromDuckdb = async (select: string): Promise<Buffer> => {
  const path = join(folder, `${name}.parquet`)
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  return readFile(path)
}

/** Dates before 1900 and after 2299 in all places where one may be, of which the engine has none; as DuckDB writes them. */
const dated = (): Promise<Buffer> => {
  const on = (row: number, date: string) => `CASE WHEN id = ${row} THEN DATE '${date}' ELSE DATE '2020-01-01' END`
  return fromDuckdb(`
    SELECT id::UBIGINT AS id, ${on(1, '1850-03-01')} + CASE WHEN id = 1 THEN 0 ELSE id::INT END AS day, [${on(3, '1899-12-31')}] AS list,
      {'x': 1, 'day of': ${on(4, '2300-01-01')}} AS pair, MAP {'k': ${on(5, '0001-01-01')}} AS map
    FROM range(7) AS rows(id)`)
}

const TYPES = {
  id: 'UInt64',
  day: 'Date32',
  list: 'Array(Date32)',
  pair: 'Tuple(x Int8, `day of` Date32)',
  map: 'Map(String, Date32)',
}

test('dates of Parquet that are out of range cost their rows, not the import', async () => {
  await scene.dataSource(name, TYPES)
  const job = await load(await dated())
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 3, quarantine_rows: 4, rows_read: 7 } })
  const first = '{"x":1,"day of":"2020-01-01"}'
  expect(await scene.table(name, 'id')).toEqual([
    ['0', '2020-01-01', '["2020-01-01"]', first, '{"k":"2020-01-01"}'],
    ['2', '2020-01-03', '["2020-01-01"]', first, '{"k":"2020-01-01"}'],
    ['6', '2020-01-07', '["2020-01-01"]', first, '{"k":"2020-01-01"}'],
  ])
  expect(
    await scene.rows(
      `SELECT id, day, list, pair, map, c__error_column[1] AS wrong FROM ${name}_quarantine ORDER BY id`,
    ),
  ).toEqual([
    expect.objectContaining({ id: '1', day: '1850-03-01', wrong: 'day' }),
    expect.objectContaining({ id: '3', list: '["1899-12-31"]', wrong: 'list' }),
    expect.objectContaining({ id: '4', pair: '{"x":1,"day of":"2300-01-01"}', wrong: 'pair' }),
    expect.objectContaining({ id: '5', map: '{"k":"0001-01-01"}', wrong: 'map' }),
  ])
})

test('they are texts where the column is one, and dates of other types judge them by their own range', async () => {
  await scene.dataSource(name, {
    ...TYPES,
    day: 'String',
    list: 'Array(String)',
    pair: 'String',
    map: 'Map(String, Nullable(String))',
  })
  expect(await load(await dated())).toMatchObject({ statistics: { rows_written: 7, quarantine_rows: 0 } })
  expect((await scene.table(name, 'id'))[1]![1]).toBe('1850-03-01')
})

test('a data source is made of such a file, and what it would be is told with its first rows', async () => {
  const file = await dated()
  const url = scene.give(`/${name}.parquet`, file)
  const { status, body } = await scene.call('POST', '/v1/datasources/infer', { url })
  expect(status, JSON.stringify(body)).toBe(200)
  expect(body.rows[1]).toMatchObject({
    day: '1850-03-01',
    list: ['2020-01-01'],
    pair: { x: 1, 'day of': '2020-01-01' },
  })
  expect(body.rows[5]).toMatchObject({ map: { k: '0001-01-01' } })
  expect(await load(file, { create: true })).toMatchObject({ statistics: { rows_written: 3, quarantine_rows: 4 } })
})

test('lists, maps and tuples go into columns of other types than the file has', async () => {
  await scene.dataSource(name, {
    pair: 'Tuple(Int64, String)',
    numbers: 'Array(Float32)',
    map: 'Map(Int64, LowCardinality(String))',
    texts: 'Array(Nullable(String))',
    small: 'Array(UInt8)',
    point: 'Point',
  })
  const select = (
    small: string,
  ) => `SELECT (toUInt8(1), 'a/b') AS pair, [1.5, nan] AS numbers, map(toInt32(1), 'x/y') AS map,
    ['a/b'] AS texts, [toInt64(${small})] AS small, [1.5, 2.5] AS point`
  expect(await load(await parquet(select('255')))).toMatchObject({
    statistics: { rows_written: 1, quarantine_rows: 0 },
  })
  expect(await load(await parquet(select('256')))).toMatchObject({
    statistics: { rows_written: 0, quarantine_rows: 1 },
  })
  expect(await scene.table(name)).toEqual([
    ['["1","a/b"]', '[1.5,null]', '{"1":"x/y"}', '["a/b"]', '[255]', '[1.5,2.5]'],
  ])
})

test('JSON of Parquet is the text that it is', async () => {
  const texts = ['{"a": 1.10, "b": null}', '[1, 2]', 'null', '123456789012345678901234567890', null]
  const values = texts.map((text, id) => `(${id}, ${text === null ? 'NULL' : `'${text}'`}::JSON)`)
  const file = await fromDuckdb(`SELECT id, value FROM (VALUES ${values.join(', ')}) AS rows(id, value)`)
  expect(await load(file, { create: true })).toMatchObject({ statistics: { rows_written: 5, quarantine_rows: 0 } })
  expect(await scene.table(name, 'id')).toEqual(texts.map((text, id) => [`${id}`, text]))
  name = `${name}_object`
  await scene.dataSource(name, { id: 'Int32', value: 'JSON' })
  expect(await load(file)).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 4 } })
})

test('times of years that the engine has not go to the quarantine, as what they are', async () => {
  const times = [
    "'infinity'",
    "'-infinity'",
    "'0001-01-01 00:00:00'",
    "'9999-12-31 23:59:59.999'",
    "'10000-01-01 00:00:00'",
  ]
  const values = [...times, 'NULL'].map((time, id) => `(${id}, ${time}::TIMESTAMP, ${time}::TIMESTAMP_MS)`)
  const file = await fromDuckdb(`SELECT * FROM (VALUES ${values.join(', ')}) AS rows(id, micro, milli)`)
  expect(await load(file, { create: true })).toMatchObject({ statistics: { rows_written: 3, quarantine_rows: 3 } })
  expect(await scene.table(name, 'id')).toEqual([
    ['2', '0001-01-01 00:00:00.000000', '0001-01-01 00:00:00.000'],
    ['3', '9999-12-31 23:59:59.999000', '9999-12-31 23:59:59.999'],
    ['5', null, null],
  ])
  const quarantined = `SELECT id, micro, c__error_column AS columns, c__error AS errors FROM ${name}_quarantine ORDER BY id`
  expect(await scene.rows(quarantined)).toEqual(
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
    name = `parquet_${++count}`
    await scene.dataSource(name, { id: 'Int32', micro: type, milli: 'Nullable(String)' })
    expect(await load(file)).toMatchObject({ statistics: { quarantine_rows: type === 'Nullable(DateTime)' ? 5 : 4 } })
  }
})

test('texts and times in lists, maps and structs are looked at, too', async () => {
  const [bytes, time] = ["'\\xFF'::BLOB", "'infinity'::TIMESTAMP"]
  const row = (id: number, text: string, key: string, at: string) =>
    `SELECT ${id} AS id, [${text}, NULL] AS list, MAP {${key}: [${text}]} AS map, {'a': [{'at': ${at}}], 'b': 1} AS struct`
  const fine = ["'\\xC3\\xB6'::BLOB", "'k'::BLOB", "'2020-01-01'::TIMESTAMP"] as const
  const rows = [
    row(0, ...fine),
    row(1, bytes!, fine[1], fine[2]),
    row(2, fine[0], bytes!, fine[2]),
    row(3, fine[0], fine[1], time!),
  ]
  const file = await fromDuckdb(rows.join(' UNION ALL '))
  const judged = async () => {
    expect(await load(file)).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 3 } })
    return scene.rows(`SELECT id, c__error_column AS columns FROM ${name}_quarantine ORDER BY id`)
  }
  const expected = [
    { id: '1', columns: ['list', 'map'] },
    { id: '2', columns: ['map'] },
    { id: '3', columns: ['struct'] },
  ]
  await scene.dataSource(name, {
    id: 'Int32',
    list: 'Array(Nullable(String))',
    map: 'Map(String, Array(Nullable(String)))',
    struct: "Tuple(a Array(Tuple(at Nullable(DateTime64(6, 'UTC')))), b Nullable(Int32))",
  })
  expect(await judged()).toEqual(expected)
  name = `parquet_${++count}`
  await scene.dataSource(name, {
    id: 'Int64',
    list: 'Array(LowCardinality(Nullable(String)))',
    map: 'Map(LowCardinality(String), Array(String))',
    struct: 'Tuple(a Array(Tuple(at DateTime)), b Int8)',
  })
  expect(await judged()).toEqual(expected)
})

test('times are the same in columns of another zone, within others and in the hour that is there twice, too', async () => {
  const times = ['2020-11-01 05:30:00', '2020-11-01 06:30:00', '2020-07-01 00:00:00']
  const rows = times.map((time, id) => {
    const [at, day] = [`'${time}+00'::TIMESTAMPTZ`, `DATE '${id === 2 ? '1850' : '2020'}-01-01'`]
    return `SELECT ${id} AS id, ${at} AS top, [${at}, NULL] AS list, {'DateTime64(6)': ${at}, 'day': ${day}} AS pair, MAP {'k': ${at}} AS map`
  })
  const file = await fromDuckdb(rows.join(' UNION ALL '))
  const zone = "'America/New_York'"
  await scene.dataSource(name, {
    id: 'Int32',
    top: `DateTime64(6, ${zone})`,
    list: `Array(Nullable(DateTime(${zone})))`,
    pair: `Tuple(\`DateTime64(6)\` DateTime64(3, ${zone}), day String)`,
    map: `Map(String, DateTime64(6, ${zone}))`,
  })
  expect(await load(file)).toMatchObject({ statistics: { rows_written: 3, quarantine_rows: 0 } })
  const utc = (value: string) => `toString(toTimeZone(${value}, 'UTC'))`
  const sql = `SELECT ${utc('top')} AS a, ${utc('list[1]')} AS b, ${utc('tupleElement(pair, 1)')} AS c, ${utc("map['k']")} AS d, list[2] AS e, pair.day AS f
    FROM ${name} ORDER BY id`
  expect(await scene.rows(sql)).toEqual(
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

test('times of no day go into columns of such, as a time of 1970 does not', async () => {
  const times = ['10:20:30.123456', '00:00:00', '23:59:59.999999', '24:00:00']
  const rows = [...times.map(time => `'${time}'`), 'NULL'].map(
    (time, id) => `SELECT ${id} AS id, ${time}::TIME AS t, TIMESTAMP '1970-01-01 10:00:00' AS at`,
  )
  const file = await fromDuckdb(rows.join(' UNION ALL '))
  const loaded = async (types: Record<string, string>) => {
    name = `parquet_${++count}`
    await scene.dataSource(name, { id: 'Int32', at: 'DateTime', ...types })
    const { statistics } = await load(file)
    return [statistics.rows_written, statistics.quarantine_rows]
  }
  const values = async () => (await scene.rows<{ t: string }>(`SELECT t FROM ${name} ORDER BY id`)).map(({ t }) => t)
  expect(await loaded({ t: 'Time64(6)' })).toEqual([4, 1])
  expect(await values()).toEqual(['10:20:30.123456', '00:00:00.000000', '23:59:59.999999', '24:00:00.000000'])
  const [missing] = await scene.rows(`SELECT id, t, c__error_column, c__error FROM ${name}_quarantine`)
  expect(missing).toEqual({ id: '4', t: null, c__error_column: ['t'], c__error: ['it is missing'] })
  expect(await loaded({ t: 'Nullable(Time64(3))' })).toEqual([5, 0])
  expect(await values()).toEqual(['10:20:30.123', '00:00:00.000', '23:59:59.999', '24:00:00.000', null])
  expect(await loaded({ t: 'Nullable(Time)' })).toEqual([5, 0])
  expect(await values()).toEqual(['10:20:30', '00:00:00', '23:59:59', '24:00:00', null])
  expect(await loaded({ t: 'Nullable(String)' })).toEqual([5, 0])
  expect((await values())[0]).toBe('1970-01-01 10:20:30.123456')
  expect(await loaded({ t: 'Nullable(Time)', at: 'Time' })).toEqual([0, 5])
})

test('of times in others that the engine has not the quarantine has what the file has', async () => {
  const rows = ['2020-01-01', 'infinity', '10000-01-01'].map((time, id) => {
    const at = `'${time}'::TIMESTAMP`
    return `SELECT ${id} AS id, [${at}, TIMESTAMP '2021-01-01 01:02:03', NULL] AS list, MAP {'k': ${at}} AS map,
      {'DateTime64(6)': ${at}, 'day': DATE '${id === 2 ? '1850' : '2020'}-01-01', 'ms': ${at}::TIMESTAMP_MS} AS pair`
  })
  const file = await fromDuckdb(rows.join(' UNION ALL '))
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
    name = `parquet_${++count}`
    await scene.dataSource(name, {
      id: 'Int32',
      list: `Array(Nullable(DateTime64(6, ${zone})))`,
      map: `Map(String, Nullable(DateTime64(6, ${zone})))`,
      pair: `Tuple(\`DateTime64(6)\` DateTime64(6, ${zone}), day Date32, ms DateTime64(3, ${zone}))`,
    })
    expect(await load(file)).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 2 } })
    const sql = `SELECT id, list, map, pair FROM ${name}_quarantine ORDER BY id`
    expect(await scene.rows(sql)).toEqual(expected(mark))
  }
})
