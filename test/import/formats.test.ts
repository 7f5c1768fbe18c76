import { expect, test } from 'vitest'
import { WORKSPACE } from './scene.ts'
import { useImportScene } from './use-import-scene.ts'

const scene = useImportScene('csv')

const load = (path: string, content: string | Uint8Array, fields: Record<string, unknown> = {}) =>
  scene.import({ datasource: scene.name, url: scene.give(path, content), ...fields })

/** A Parquet file written by the engine. */
const parquet = async (select: string): Promise<Buffer> => {
  const query = await scene.warehouse.query({
    workspace: 'default',
    queryId: `parquet-${scene.name}-${select.length}`,
    sql: select,
    parameters: {},
    format: 'parquet',
    limits: { timeoutMs: null, memoryBytes: 2 ** 30, threads: 1, resultRows: null },
    signal: new AbortController().signal,
  })
  return Buffer.concat(await Array.fromAsync(query.content))
}

test('objects of NDJSON are imported by key, and by path', async () => {
  const list = [
    { name: 'id', type: 'UInt64', jsonPath: null },
    { name: 'city', type: 'Nullable(String)', jsonPath: '$.user.address.city' },
    { name: 'tags', type: 'Array(String)', jsonPath: null },
    { name: 'extra', type: 'String', jsonPath: null },
  ]
  const { createDataSource } = await import('../../src/data/tables/data-sources.ts')
  await createDataSource(scene.data, 'default', { name: scene.name, columns: list })
  const lines = [
    { id: 18446744073709551615n, user: { address: { city: 'Köln' } }, tags: ['a', "b'c"], extra: { x: [1, 2] } },
    { id: 2, user: null, tags: [], extra: 1.5, unknown: true },
    { id: 'three', tags: ['x'], extra: 'a' },
    { id: 4, tags: 'x', extra: 'a' },
    { id: 5, tags: [1], extra: 'a' },
    { id: 6, tags: [] },
  ]
  const text = lines
    .map(line =>
      JSON.stringify(line, (_, value) => (typeof value === 'bigint' ? `#${value}` : value)).replace(/"#(\d+)"/, '$1'),
    )
    .join('\n')
  const job = await load('/a.ndjson', text)
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 3, quarantine_rows: 3 } })
  expect(await scene.table(scene.name, 'id')).toEqual([
    ['2', null, '[]', '1.5'],
    ['5', null, '["1"]', 'a'],
    ['18446744073709551615', 'Köln', `["a","b'c"]`, '{"x":[1,2]}'],
  ])
  const wrong = await scene.rows<{ wrong: string }>(
    `SELECT c__error_column[1] AS wrong FROM ${scene.name}_quarantine ORDER BY wrong`,
  )
  expect(wrong.map(row => row.wrong)).toEqual(['extra', 'id', 'tags'])
})

test('numbers within objects are kept as written, however long', async () => {
  const { createDataSource } = await import('../../src/data/tables/data-sources.ts')
  // Named like a name in the statement.
  const at = (column: string, type: string) => ({ name: column, type, jsonPath: `$.j.${column}` })
  const columns = [
    at('large', 'Nullable(Int128)'),
    at('price', 'Nullable(Decimal(38, 20))'),
    at('text', 'Nullable(String)'),
    at('n', 'Nullable(Int64)'),
  ]
  await createDataSource(scene.data, 'default', { name: scene.name, columns })
  const values = [
    '"large":123456789012345678901234567890,"n":1',
    '"n":2,"other":123456789012345678901234567890,"text":1.10',
    '"n":3,"price":1234567890.12345678901234567890',
    '"n":4,"text":[ 1.10, {"a":9007199254740993.0} ]',
    '"n":5,"text":"\\ufdd01.10"',
    '"n":6,"text":"\ufdd01.10"',
    '"n":1e2',
    '"n":7,"price":1e-21',
  ]
  const job = await load('/a.ndjson', values.map(value => `{"j":{${value}}}\n`).join(''))
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 6, quarantine_rows: 2 } })
  const select = `SELECT n, toString(large) AS large, toString(price) AS price, text FROM ${scene.name} ORDER BY n`
  expect((await scene.rows<Record<string, unknown>>(select)).map(row => Object.values(row))).toEqual([
    ['1', '123456789012345678901234567890', null, null],
    ['2', null, null, '1.10'],
    ['3', null, '1234567890.1234567890123456789', null],
    ['4', null, null, '[1.10,{"a":9007199254740993.0}]'],
    ['5', null, null, '\ufdd01.10'],
    ['6', null, null, '\ufdd01.10'],
  ])
  expect(await scene.rows(`SELECT n, price FROM ${scene.name}_quarantine ORDER BY n`)).toEqual([
    { n: '1e2', price: null },
    { n: '7', price: '1e-21' },
  ])
})

test('lines that are not JSON are counted, with their numbers', async () => {
  await scene.dataSource(scene.name, { id: 'Int32' })
  const job = await load('/a.jsonl', '{"id":1}\n{"id":\n[1]\n\n{"id":2}\nnonsense\n{"id":"x"}\n{"id":3}')
  expect(job).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 3, invalid_lines: 3, quarantine_rows: 1, rows_read: 7 },
  })
  const log = await scene.log(job.job_id)
  for (const line of ['line 2 is not JSON: {"id":', 'line 3 is not a JSON object: [1]', 'line 6 is not JSON: nonsense'])
    expect(log).toContain(line)
})

test('the format follows the first extension in the URL, since the query may name another file', async () => {
  await scene.dataSource(scene.name, { id: 'Int32' })
  for (const [path, query, content] of [
    ['/a.csv', '?like=b.parquet', 'id\n1\n'],
    ['/download', '?file=b.jsonl', '{"id":2}\n'],
  ] as const) {
    const job = await scene.import({ datasource: scene.name, url: `${scene.give(path, content)}${query}` })
    expect(job).toMatchObject({ statistics: { rows_written: 1 } })
  }
})

test('Parquet is imported by column name, and invalid rows are quarantined', async () => {
  await scene.dataSource(scene.name, {
    id: 'UInt64',
    small: 'Int8',
    time: 'DateTime',
    day: 'Nullable(Date)',
    tags: 'Array(String)',
    price: 'Decimal(9, 2)',
  })
  const good = `SELECT number AS id, toInt64(number) AS small, toDateTime64('2024-01-01 10:00:00.5', 3, 'UTC') AS time,
    if(number = 1, NULL, toDate('2024-01-05')) AS day, ['a', 'b'] AS tags, toDecimal64(1.25, 2) AS price FROM numbers(3)`
  expect(await load('/a.parquet', await parquet(good))).toMatchObject({ statistics: { rows_written: 3 } })
  expect((await scene.table(scene.name))[1]).toEqual(['1', '1', '2024-01-01 10:00:00', null, '["a","b"]', '1.25'])
  const bad = good.replace('toInt64(number)', 'toInt64(number * 100)').replace('numbers(3)', 'numbers(5)')
  expect(await load('/b.parquet', await parquet(bad))).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 2, quarantine_rows: 3, rows_read: 5 },
  })
  expect(await load('/c.parquet', await parquet('SELECT 1 AS id, 2 AS other'))).toMatchObject({
    error: { code: 'schema_mismatch', message: expect.stringContaining('other') },
  })
  expect(await load('/d.parquet', 'PAR1 and nothing more')).toMatchObject({ error: { code: 'content_unreadable' } })
})

test('enums, arrays, maps, UUIDs, IP addresses and decimals are read as they are written', async () => {
  await scene.dataSource(scene.name, {
    color: 'LowCardinality(Nullable(String))',
    kind: "Enum8('a' = 1, 'b\\'c' = 2)",
    list: 'Array(Int8)',
    map: 'Map(String, UInt8)',
    deep: 'Array(Array(Int32))',
    id: 'UUID',
    address: 'IPv4',
    price: 'Nullable(Decimal(9, 2))',
    ok: 'Bool',
    time: "DateTime64(3, 'Europe/Berlin')",
  })
  const uuid = '61f0c404-5cb3-11e7-907b-a6006ad3dba0'
  const right = `red,a,"[1, 2]","{""k"":1}","[[1],[2, 3]]",${uuid},1.2.3.4,1.5,yes,2024-06-01 12:00:00.5`
  const rows = [
    right,
    right.replace(',a,', ",b'c,").replace('red', ''),
    right.replace(',a,', ',z,'),
    right.replace(',a,', ',1,'),
    right.replace('[1, 2]', '[1, 300]'),
    right.replace('[1, 2]', '[1, 2'),
    right.replace('""k"":1', '""k"":-1'),
    right.replace('[2, 3]', '[2, x]'),
    right.replace(uuid, 'x'),
    right.replace('1.2.3.4', '1.2.3'),
    right.replace('1.5,yes', '12345678.5,yes'),
    right.replace('yes', 'perhaps'),
  ]
  const header = 'color,kind,list,map,deep,id,address,price,ok,time'
  const job = await load('/types', `${header}\n${rows.join('\n')}\n`)
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 2, quarantine_rows: 10 } })
  expect(await scene.table(scene.name, 'kind')).toEqual([
    ['red', 'a', '[1,2]', '{"k":1}', '[[1],[2,3]]', uuid, '1.2.3.4', '1.5', 'true', '2024-06-01 12:00:00.500'],
    [null, "b'c", '[1,2]', '{"k":1}', '[[1],[2,3]]', uuid, '1.2.3.4', '1.5', 'true', '2024-06-01 12:00:00.500'],
  ])
})

const columnsOf = async () =>
  Object.fromEntries(
    (await scene.data.catalogue('default')).dataSources
      .find(source => source.name === scene.name)!
      .columns.map(column => [column.name, column.type]),
  )

test('a missing data source is created from CSV with guessed types', async () => {
  const text =
    'id,price,ok,day,at,code,note,empty\n1,1.5,true,2024-01-05,2024-01-05 10:00:00,007,x,\n2,3,false,2024-02-29,2024-01-05T10:00:00.5Z,08,,\n'
  expect(await load('/new.csv', text, { create: true })).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 2 },
  })
  expect(await columnsOf()).toEqual({
    id: 'Int64',
    price: 'Float64',
    ok: 'Bool',
    day: 'Date',
    at: 'DateTime64(3)',
    code: 'String',
    note: 'String',
    empty: 'String',
  })
  expect(await load('/new.csv', text, { create: true })).toMatchObject({ statistics: { row_count: 4 } })
})

test('a data source is created without a header, and without guessing types', async () => {
  await load('/plain.csv', '1,,x\n2,3,y\n', { create: true })
  expect(await columnsOf()).toEqual({ column_0: 'Int64', column_1: 'Nullable(Int64)', column_2: 'String' })
  scene.renew()
  await load('/text.csv', 'id,price\n1,2\n', { create: true, type_guessing: false })
  expect(await columnsOf()).toEqual({ id: 'String', price: 'String' })
  scene.renew()
  const lines = '{"id":1,"price":null}\n{"id":2.50,"other":[1]}\n'
  const loaded = await load('/text.ndjson', lines, { create: true, type_guessing: false })
  expect(loaded).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 0 } })
  expect(await columnsOf()).toEqual({ id: 'String', price: 'Nullable(String)', other: 'Nullable(String)' })
})

test('a data source is created from NDJSON with paths, and from Parquet with its own types', async () => {
  const lines =
    '{"id":1,"user":{"name":"a","age":null},"tags":["x"],"n":[1]}\n{"id":2,"user":{"name":"b","age":3},"tags":[],"n":[2]}\n'
  expect(await load('/new.ndjson', lines, { create: true })).toMatchObject({
    statistics: { rows_written: 2, quarantine_rows: 0 },
  })
  expect(await columnsOf()).toEqual({
    id: 'Int64',
    user_name: 'String',
    user_age: 'Nullable(Int64)',
    tags: 'Array(String)',
    n: 'Array(Int64)',
  })
  expect(await scene.table(scene.name, 'id')).toEqual([
    ['1', 'a', null, '["x"]', '["1"]'],
    ['2', 'b', '3', '[]', '["2"]'],
  ])
  scene.renew()
  const file = await parquet("SELECT number AS id, toDate('2024-01-01') AS day FROM numbers(4)")
  expect(await load('/new.parquet', file, { create: true })).toMatchObject({ statistics: { rows_written: 4 } })
  expect(await columnsOf()).toEqual({ id: 'UInt64', day: 'Date32' })
})

test('a data source created for an import that fails is removed', async () => {
  const failed = await load('/bad.csv', 'id\n1\n2\nx,y\n', { create: true, max_bad_rows: 0 })
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'too_many_bad_rows' } })
  expect((await scene.data.catalogue('default')).dataSources.map(source => source.name)).not.toContain(scene.name)
  expect(await load('/empty.csv', '', { create: true })).toMatchObject({ error: { code: 'content_unreadable' } })
  expect(await load('/reserved.csv', 'c__error,b\n1,2\n', { create: true })).toMatchObject({
    error: { code: 'schema_mismatch', message: expect.stringContaining('c__error') },
  })
})

test('an import with create waits while a data source of that name is being dropped', async () => {
  const lock = { workspace: WORKSPACE, holder: { callId: 'somebody', heldMs: 60_000 } }
  expect(await scene.store.lockTables({ ...lock, tables: [scene.name] })).toEqual({ type: 'locked' })
  const id = await scene.submit({ datasource: scene.name, url: scene.give('/waits.csv', 'id\n1\n'), create: true })
  await expect
    .poll(async () => (await scene.job(id)).progress?.message, { timeout: 20_000 })
    .toMatch(/^waits: .*another call/)
  await scene.store.unlockTables(lock)
  expect(await scene.job(id, 30)).toMatchObject({ status: 'completed', attempt: 1, statistics: { rows_written: 1 } })
})

test('a data source that is dropped while an import with create waits is created again', async () => {
  await scene.dataSource(scene.name, { id: 'Int64' })
  const lock = { workspace: WORKSPACE, holder: { callId: 'somebody', heldMs: 60_000 } }
  expect(await scene.store.lockTables({ ...lock, tables: [scene.name] })).toEqual({ type: 'locked' })
  const id = await scene.submit({
    datasource: scene.name,
    url: scene.give('/dropped.csv', 'id,b\n1,2\n'),
    create: true,
  })
  await expect
    .poll(async () => (await scene.job(id)).progress?.message, { timeout: 20_000 })
    .toMatch(/^waits for a call/)
  const { version, dataSources } = await scene.data.catalogue(WORKSPACE)
  const dropped = dataSources.find(source => source.name === scene.name)!
  const changes = [{ type: 'drop_data_source', id: dropped.id } as const]
  const change = { workspace: WORKSPACE, version, changes, unlessLocked: [] }
  expect(await scene.store.changeCatalogue(change)).toMatchObject({ type: 'changed' })
  await scene.store.unlockTables(lock)
  expect(await scene.job(id, 30)).toMatchObject({ status: 'completed', statistics: { rows_written: 1, row_count: 1 } })
  expect(await columnsOf()).toEqual({ id: 'Int64', b: 'Int64' })
})
