import { beforeEach, describe, expect, test } from 'vitest'
import { createDataSource } from '../../src/data/tables/data-sources.ts'
import { WORKSPACE } from './scene.ts'
import { useImportScene, written } from './use-import-scene.ts'

const scene = useImportScene('csv')

const load = (path: string, content: string | Uint8Array, fields: Record<string, unknown> = {}) =>
  scene.import({ datasource: scene.name, url: scene.give(`/${scene.name}${path}`, content), ...fields })

const make = (path: string, content: string, fields: Record<string, unknown> = {}) =>
  load(path, content, { create: true, ...fields })

const columnsOf = async (): Promise<Record<string, string>> => {
  const { body } = await scene.call('GET', `/v1/datasources/${scene.name}`)
  return Object.fromEntries(body.schema.map((column: { name: string; type: string }) => [column.name, column.type]))
}

const infer = async (path: string, content: string): Promise<Record<string, string>> => {
  const { status, body } = await scene.call('POST', '/v1/datasources/infer', { url: scene.give(path, content) })
  expect(status, JSON.stringify(body)).toBe(200)
  return Object.fromEntries(body.schema.map((column: { name: string; type: string }) => [column.name, column.type]))
}

describe('the types of numbers', () => {
  const IDS = ['1847163201239482643', '1847163201239482644']

  test('ids of nineteen digits stay distinct in CSV and NDJSON, and are inferred as they are created', async () => {
    const csv = `id,text\n${IDS[0]},hi\n${IDS[1]},ho\n`
    await make('.csv', csv)
    expect(await columnsOf()).toEqual({ id: 'Int64', text: 'String' })
    expect(await infer('/ids.csv', csv)).toEqual(await columnsOf())
    expect(await scene.value(`SELECT uniqExact(id) FROM ${scene.name}`)).toBe('2')
    scene.renew()
    const json = IDS.map(id => `{"id":${id},"in":{"id":${id}},"list":[${id}]}\n`).join('')
    await make('.ndjson', json)
    expect(await columnsOf()).toEqual({ id: 'Int64', in_id: 'Int64', list: 'Array(Int64)' })
    expect(await infer('/ids.ndjson', json)).toEqual(await columnsOf())
    expect(await scene.value(`SELECT uniqExact(id, in_id, list) FROM ${scene.name}`)).toBe('2')
    expect((await scene.table(scene.name)).map(([id]) => id)).toEqual(IDS)
  })

  test('inferred rows show the digits of the content', async () => {
    const response = await fetch(`${scene.url}/v1/datasources/infer?format=ndjson`, {
      method: 'POST',
      headers: { authorization: `Bearer ${scene.token}`, 'content-type': 'application/octet-stream' },
      body: `{"id":${IDS[0]},"price":1.50}\n`,
    })
    expect(await response.text()).toContain(`{"id":${IDS[0]},"price":1.50}`)
  })

  test('numbers beyond Int64 are UInt64, and larger ones or those beside fractions are text', async () => {
    const lines = [
      ['9223372036854775808', '18446744073709551616', '9007199254740993', '1.0', '1e3', '-1'],
      ['18446744073709551615', '18446744073709551617', '0.5', '2', '2', '18446744073709551615'],
    ]
    const types = { a: 'UInt64', b: 'String', c: 'String', d: 'Float64', e: 'Float64', f: 'String' }
    const keys = Object.keys(types)
    await make('.csv', `${keys.join(',')}\n${lines.map(line => line.join(',')).join('\n')}\n`)
    expect(await columnsOf()).toEqual(types)
    const rows = await scene.table(scene.name)
    scene.renew()
    const objects = lines.map(line => `{${line.map((value, index) => `"${keys[index]}":${value}`).join(',')}}\n`)
    expect(written(await make('.ndjson', objects.join('')))).toEqual([2, 0, 0])
    expect(await columnsOf()).toEqual(types)
    expect(await scene.table(scene.name)).toEqual(rows)
    expect(rows.map(row => row.slice(0, 3))).toEqual([
      ['9223372036854775808', '18446744073709551616', '9007199254740993'],
      ['18446744073709551615', '18446744073709551617', '0.5'],
    ])
  })

  test('numbers in lists get a type that fits all of them', async () => {
    const lists = ['[18446744073709551615]', '[18446744073709551616]', '[1.0]', '[1,"a"]', '[1,null]']
    const json = `{${lists.map((list, index) => `"l${index}":${list}`).join(',')}}\n`
    expect(written(await make('.ndjson', json))).toEqual([1, 0, 0])
    expect(Object.values(await columnsOf())).toEqual(['Array(UInt64)', 'String', 'Array(Float64)', 'String', 'String'])
    expect((await scene.table(scene.name))[0]!.slice(0, 2)).toEqual([
      '["18446744073709551615"]',
      '[18446744073709551616]',
    ])
  })
})

describe('delimiters at the end of a line', () => {
  beforeEach(() => scene.dataSource(scene.name, { a: 'Int32', b: 'String' }))

  const LINES = ['1,x,', '2,y', '3,z, ', '4,u,""']

  test.each([
    ['alone', []],
    ['beside an invalid row', ['no,number']],
    ['beside a line that is too long', ['4,u,9']],
    ['beside a line that is too short', ['5']],
    ['beside an unreadable line', ['"6"x,y']],
    ['beside all of them', ['no,number', '4,u,9', '5', '"6"x,y', '7,a,,']],
  ])('are ignored, %s', async (_, others) => {
    for (const end of ['\n', '\r\n', ''] as const) {
      const text = ['a,b', ...others, ...LINES, ...others].join(end || '\n') + end
      const job = await load('.csv', text, { mode: 'replace' })
      expect(await scene.table(scene.name)).toEqual([
        ['1', 'x'],
        ['2', 'y'],
        ['3', 'z'],
        ['4', 'u'],
      ])
      const bad = others.filter(line => line === 'no,number').length * 2
      expect(written(job)).toEqual([4, bad, 2 * others.length - bad])
    }
  })

  test('are ignored in a whole spreadsheet, with a new data source and with an existing one', async () => {
    const text = 'a,b,,,\n1,x,,,\n2,y,,,\n,,,,\n3,z\n4,"u",,\n5,v,,,w\n6,w,,,,\n'
    const job = await load('.csv', text)
    expect(written(job)).toEqual([4, 1, 2])
    expect(await scene.log(job.job_id)).toContain('line 7 has 5 columns, not 2: 5,v,,,w')
    scene.renew()
    expect(written(await make('.csv', text.replace('w\n', '\n')))).toEqual([6, 0, 1])
    expect(await columnsOf()).toEqual({ a: 'Nullable(Int64)', b: 'String' })
  })

  test('make no columns without a header', async () => {
    expect(written(await load('.csv', '1,x,\n2,y\n'))).toEqual([2, 0, 0])
    expect(await load('.csv', '1,x,y\n')).toMatchObject({ error: { code: 'schema_mismatch' } })
  })

  test('without a name, but with values, are a column', async () => {
    scene.renew()
    expect(written(await make('.csv', 'a,b,\n1,x,\n2,y,7\n'))).toEqual([2, 0, 0])
    expect(await columnsOf()).toEqual({ a: 'Int64', b: 'String', column_2: 'Nullable(Int64)' })
  })

  test('are ignored with a single column', async () => {
    await scene.dataSource(scene.renew(), { a: 'String' })
    expect(written(await load('.csv', 'a\nx,\ny\nz,1\n'))).toEqual([2, 0, 1])
  })
})

describe('headers', () => {
  const PANDAS = ',a,b\n0,1,x\n1,2,y\n'

  test('an index column without a name becomes column_0, with and without header: true, in a new and in an existing data source', async () => {
    for (const header of [undefined, true]) {
      scene.renew()
      expect(written(await make('.csv', PANDAS, header === undefined ? {} : { header }))).toEqual([2, 0, 0])
      expect(await columnsOf()).toEqual({ column_0: 'Int64', a: 'Int64', b: 'String' })
      expect(written(await load('.csv', PANDAS, header === undefined ? {} : { header }))).toEqual([2, 0, 0])
      expect(await scene.value(`SELECT sum(column_0) FROM ${scene.name}`)).toBe('2')
    }
  })

  test('a duplicate name is refused instead of read as a row', async () => {
    const refusal = {
      status: 'failed',
      error: { code: 'schema_mismatch', message: expect.stringMatching(/twice: a\. .*skip_lines: 1/) },
    }
    expect(await make('.csv', 'a,a\n1,2\n')).toMatchObject(refusal)
    expect(await make('.csv', 'a,a\n1,2\n', { header: true })).toMatchObject(refusal)
    expect(await make('.csv', ',column_0\n1,2\n')).toMatchObject({
      error: { message: expect.stringContaining('twice: column_0') },
    })
    const { status, body } = await scene.call('POST', '/v1/datasources/infer', {
      url: scene.give('/twice.csv', 'a,a\n1,2\n'),
    })
    expect([status, body.code]).toEqual([422, 'schema_mismatch'])
    expect(written(await make('.csv', 'yes,yes\nno,yes\n'))).toEqual([2, 0, 0])
  })

  test('names of a data source match in any case, and a header is never a row', async () => {
    await scene.dataSource(scene.name, { name: 'String', city: 'String' })
    expect(written(await load('.csv', 'Name,City\nAda,London\n'))).toEqual([1, 0, 0])
    expect(written(await load('.csv', 'CITY,NAME\nBonn,Max\n', { header: true }))).toEqual([1, 0, 0])
    expect(await scene.table(scene.name)).toEqual([
      ['Ada', 'London'],
      ['Max', 'Bonn'],
    ])
    expect(await load('.csv', 'Name,Town\nAda,London\n')).toMatchObject({
      error: { code: 'schema_mismatch', message: expect.stringContaining('Town') },
    })
    expect(await load('.csv', 'Name,NAME,city\na,b,c\n')).toMatchObject({
      error: { code: 'schema_mismatch', message: expect.stringContaining('twice: name') },
    })
    expect(written(await load('.csv', 'Name,5\nx,6\n'))).toEqual([2, 0, 0])
  })

  test('columns that differ only in case are distinct', async () => {
    await scene.dataSource(scene.name, { name: 'String', Name: 'String' })
    expect(written(await load('.csv', 'Name,name\n1,2\n'))).toEqual([1, 0, 0])
    expect(await scene.table(scene.name)).toEqual([['2', '1']])
    expect(await load('.csv', 'NAME,x\n1,2\n', { header: true })).toMatchObject({
      error: { code: 'schema_mismatch', message: expect.stringContaining('NAME') },
    })
  })

  test('an unreadable header is refused, not skipped', async () => {
    await scene.dataSource(scene.name, { name: 'String', city: 'String' })
    expect(await load('.csv', '"na"me,city\nAda,London\n', { header: true })).toMatchObject({
      error: { code: 'content_unreadable', message: expect.stringContaining('first line') },
    })
  })
})

test('paths can lead into lists, and to keys with dots', async () => {
  const columns = [
    { name: 'first', type: 'Nullable(String)', jsonPath: '$.user.tags[0]' },
    { name: 'second', type: 'Nullable(Int32)', jsonPath: '$.list[1]' },
    { name: 'dotted', type: 'Nullable(String)', jsonPath: '$["a.b"]["c.d"]' },
    { name: 'deep', type: 'Nullable(Int32)', jsonPath: '$.list[2].n[0]' },
  ]
  await createDataSource(scene.data, WORKSPACE, { name: scene.name, columns })
  const lines = [
    '{"user":{"tags":["x","y"]},"list":[1,2,{"n":[3]}],"a.b":{"c.d":"e"}}',
    '{"user":{"tags":{"k":"no list"}},"list":{"a":1,"b":2}}',
    '{"user":{"tags":[]},"list":[],"a.b":null}',
  ]
  expect(written(await load('.ndjson', lines.join('\n')))).toEqual([3, 0, 0])
  expect(await scene.table(scene.name)).toEqual([
    ['x', '2', 'e', '3'],
    [null, null, null, null],
    [null, null, null, null],
  ])
})

test.each(['$.tags[:].name', '$..id', '$.*', '$[0]', '$.a[-1]', '$'])(
  'a path that leads nowhere is refused: %s',
  async path => {
    const { status, body } = await scene.call('POST', '/v1/datasources', {
      name: scene.name,
      schema: [{ name: 'n', type: 'String', json_path: path }],
    })
    expect([status, body.errors?.[0].path]).toEqual([422, 'schema.0.json_path'])
    expect(body.errors[0].message).toContain('$.tags[0]')
  },
)

describe('content of another format', () => {
  test.each([
    ['a page of HTML', Buffer.from('\n<!-- page -->\n<h1>Not found</h1>\n'), 'HTML'],
    ['bzip2', Buffer.from('BZh91AY&SY\0\0\0'), 'bzip2'],
    ['7z', Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]), '7z'],
  ])('is refused before anything is replaced: %s', async (_, content, what) => {
    await scene.dataSource(scene.name, { a: 'String' })
    await load('.csv', 'a\nkept\n')
    expect(await load('.csv', content, { mode: 'replace' })).toMatchObject({
      status: 'failed',
      error: { code: 'content_unreadable', message: expect.stringContaining(what) },
    })
    expect(await scene.table(scene.name)).toEqual([['kept']])
  })
})

describe('messages about faults', () => {
  test('name no path of the server', async () => {
    const { error } = await load('.parquet', 'PAR1 and nothing more', { create: true })
    expect(error.code).toBe('content_unreadable')
    expect(error.message).not.toMatch(/\/|manually|uri/)
    await scene.dataSource(scene.name, { a: 'String' })
    const bad = await load('.parquet', 'PAR1 and nothing more')
    expect(bad.error.message).not.toMatch(/\/|manually|uri/)
  })

  test('quote a condition with an unknown column as it was written', async () => {
    await scene.dataSource(scene.name, { a: 'Int32' })
    const { error } = await load('.csv', 'a\n1\n', { mode: 'replace', replace_condition: 'row = 1' })
    expect(error).toMatchObject({ code: 'sql_error', message: expect.stringContaining('row') })
    expect(error.message).not.toMatch(/\t|\\t/)
  })

  test('name the column of a missing value', async () => {
    await scene.dataSource(scene.name, { id: 'Int32', extra: 'String' })
    const { error } = await load('.ndjson', '{"id":1}\n', { max_bad_rows: 0 })
    expect(error).toMatchObject({ code: 'too_many_bad_rows', message: expect.stringMatching(/extra\b.* is missing/) })
  })
})

describe('a replacement', () => {
  beforeEach(async () => {
    await scene.dataSource(scene.name, { a: 'Int32' })
    await load('.csv', 'a\n1\n')
  })

  test.each([
    ['an empty file', '.csv', ''],
    ['a header alone', '.csv', 'a\n'],
    ['blank lines', '.csv', '\n\n'],
    ['blank lines of NDJSON', '.ndjson', '\n \n'],
  ])('without rows is refused: %s', async (_, path, text) => {
    expect(await load(path, text, { mode: 'replace' })).toMatchObject({
      status: 'failed',
      error: { code: 'content_unreadable', message: expect.stringContaining('truncate') },
    })
    expect(await scene.table(scene.name)).toEqual([['1']])
  })

  test.each([
    ['.csv', 'a\nx\ny\n'],
    ['.ndjson', 'x\n{"a":"y"}\n'],
  ])('with only bad rows is refused, unless max_bad_rows allows it: %s', async (path, text) => {
    expect(await load(path, text, { mode: 'replace' })).toMatchObject({
      status: 'failed',
      error: { code: 'too_many_bad_rows', message: expect.stringMatching(/^2 of 2 rows are bad .*max_bad_rows/) },
    })
    expect(await scene.table(scene.name)).toEqual([['1']])
    expect(written(await load(path, text, { mode: 'replace', max_bad_rows: '100%' }))[0]).toBe(0)
    expect(await scene.table(scene.name)).toEqual([])
  })
})

test.each<readonly [object, string]>([
  [{ max_bad_rows: '101%' }, 'import.max_bad_rows'],
  [{ max_bad_rows: '100.5%' }, 'import.max_bad_rows'],
  ...['.', "'", 'L', 'U'].map(delimiter => [{ delimiter }, 'import.delimiter'] as const),
])('%j is refused when the job is submitted', async (fields, path) => {
  const { status, body } = await scene.call('POST', '/v1/jobs', {
    import: { datasource: 'any', url: 'https://example.com/a.csv', ...fields },
  })
  expect([status, body.errors?.[0].path]).toEqual([422, path])
})
