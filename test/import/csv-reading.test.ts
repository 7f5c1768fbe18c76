import { beforeEach, describe, expect, test } from 'vitest'
import { useImportScene } from './use-import-scene.ts'

/** What is detected in CSV without being given, and where it is reported. */
const scene = useImportScene('csv')
const { load } = scene

const columns = async () => {
  const { body } = await scene.call('GET', `/v1/datasources/${scene.name}`)
  return body.schema.map((column: { name: string; type: string }) => [column.name, column.type])
}

const cachedDelimiter = async (jobId: string) =>
  (await scene.call('GET', `/v0/jobs/${jobId}`)).body.datasource.headers.cached_delimiter

test.each([
  ['named', 'sep=;\r\nname;amount\r\nlamp;3\r\n', ';', true],
  ['guessed', '\ufeffname;amount\r\nlamp;3\r\nchair;4\r\n', ';', true],
  ['guessed in lines that end with CR', 'name;amount\rlamp;3\r', ';', true],
  ['guessed without a header', '1\t2\n3\t4\n', '\t', false],
  ['a comma', 'name,amount\nlamp,3\n', ',', true],
])('a delimiter that is %s is shown in the statistics, the log and /v0', async (_, text, delimiter, header) => {
  const job = await load(text, { create: true })
  expect(job).toMatchObject({ status: 'completed', statistics: { delimiter, header, invalid_lines: 0 } })
  expect(await columns()).toHaveLength(2)
  expect(await cachedDelimiter(job.job_id)).toBe(delimiter)
  const shown = delimiter === '\t' ? 'tabs' : `"${delimiter}"`
  const withHeader = header ? 'with a header' : 'without a header'
  expect(await scene.log(job.job_id)).toContain(`read as CSV separated by ${shown}, ${withHeader}`)
})

test('a given delimiter is used, and /v0 shows it before the rows are there', async () => {
  const job = await load('a;b|c\n1;2|3\n', { create: true, delimiter: '|' })
  expect([job.statistics.delimiter, await columns()]).toEqual([
    '|',
    [
      ['a;b', 'String'],
      ['c', 'Int64'],
    ],
  ])
  expect(await cachedDelimiter(job.job_id)).toBe('|')
})

test('lines with semicolons stay whole in a data source of one text column', async () => {
  await scene.dataSource(scene.name, { line: 'String' })
  const job = await load('2026-11-01;INFO;up\n2026-11-02;INFO;down\n')
  expect(job.statistics).toMatchObject({ rows_written: 2, delimiter: ',', header: false })
  expect(await scene.table(scene.name)).toEqual([['2026-11-01;INFO;up'], ['2026-11-02;INFO;down']])
})

test('a title with another delimiter does not hide the commas of the lines below it', async () => {
  await scene.dataSource(scene.name, { id: 'String', name: 'String' })
  const job = await load('Sales; 2026\n"1","one"\n"2","two"\n"3","three"\n')
  expect(job.statistics).toMatchObject({ rows_written: 3, invalid_lines: 1, delimiter: ',' })
})

test('commas that do not make the columns of the data source lose to a delimiter that does', async () => {
  await scene.dataSource(scene.name, { time: 'String', level: 'String', text: 'String' })
  const job = await load('12:00:00,123|INFO|up\n12:00:01,456|INFO|down\n')
  expect(job.statistics).toMatchObject({ rows_written: 2, delimiter: '|' })
  expect(await scene.table(scene.name)).toEqual([
    ['12:00:00,123', 'INFO', 'up'],
    ['12:00:01,456', 'INFO', 'down'],
  ])
})

test('content that does not match the data source is reported with how it was read, in the error and the log', async () => {
  await scene.dataSource(scene.name, { id: 'Int32', name: 'String', price: 'Float64' })
  const job = await load('1;one\n2;two\n')
  expect(job.error).toMatchObject({
    code: 'schema_mismatch',
    message: `The first line has 1 column, ${scene.name} has 3: id, name, price. It was read as CSV separated by ",", without a header.`,
  })
  expect(await scene.log(job.job_id)).toContain('read as CSV separated by ","')
  const named = await load('id;name;colour\n1;one;red\n')
  expect(named.error.message).toMatch(/has not: colour.* It was read as CSV separated by ";", with a header\.$/)
})

describe('a first line that does not match the others', () => {
  test.each([
    ['is too short', '7,seven\n1,one,1\n2,two,2\n', 'line 1 has 2 columns, not 3: 7,seven'],
    ['is too long', '7,seven,7,7\n1,one,1\n2,two,2\n', 'line 1 has 4 columns, not 3: 7,seven,7,7'],
    ['is a title', 'Sales of 2026\n1,one,1\n2,two,2\n', 'line 1 has 1 column, not 3: Sales of 2026'],
  ])('%s: it is an invalid line like any other', async (_, text, told) => {
    await scene.dataSource(scene.name, { id: 'Int64', name: 'String', price: 'Float64' })
    const job = await load(text)
    expect(job).toMatchObject({ status: 'completed', statistics: { rows_read: 3, rows_written: 2, invalid_lines: 1 } })
    expect(await scene.log(job.job_id)).toContain(told)
    expect(await load(text, { max_bad_rows: 0 })).toMatchObject({ error: { code: 'too_many_bad_rows' } })
  })

  test('counts as invalid beside another invalid line and an invalid row', async () => {
    await scene.dataSource(scene.name, { id: 'Int64', name: 'String', price: 'Float64' })
    const job = await load('7,"seven"x\n1,one,1\n2\nx,two,2\n3,"a""b",3,\n4,four,4,4\n', { header: false })
    expect(job.statistics).toMatchObject({ rows_written: 2, quarantine_rows: 1, invalid_lines: 3 })
  })

  test('fails the import if the lines below it do not match the data source either, or begin with a header', async () => {
    await scene.dataSource(scene.name, { id: 'String', name: 'String', price: 'String' })
    for (const text of ['1,2\n', '1,2\n3,4\n5,6,7\n', 'Sales of 2026\nid,name,price\n1,one,1\n'])
      expect(await load(text)).toMatchObject({ status: 'failed', error: { code: 'schema_mismatch' } })
    expect(await scene.table(scene.name)).toEqual([])
  })

  test('does not determine the columns of a new data source', async () => {
    const job = await load('7,seven\n1,one,1.5\n2,two,2\n', { create: true })
    expect(job.statistics).toMatchObject({ rows_written: 2, invalid_lines: 1, header: false })
    expect(await columns()).toEqual([
      ['column_0', 'Int64'],
      ['column_1', 'String'],
      ['column_2', 'Float64'],
    ])
  })
})

test('no data source is created from a header that matches no line', async () => {
  const job = await load('Sales of 2026\nid,name\n1,one\n2,two\n', { create: true })
  expect(job.error).toMatchObject({
    code: 'content_unreadable',
    message: expect.stringMatching(/^The first line has 1 column, and no line below it has as many: the next has 2\./),
  })
  expect((await scene.call('GET', `/v1/datasources/${scene.name}`)).status).toBe(404)
})

test('a first line that cannot be parsed is reported with the reason and the delimiter', async () => {
  const job = await load('"Name";"Size"x\n"a";"b"\n', { create: true, delimiter: ';' })
  expect(job.error).toMatchObject({
    code: 'content_unreadable',
    message: expect.stringMatching(/^The first line cannot be parsed: .*closing quote \("\), with the delimiter ";"\./),
  })
})

test('a column may be named true', async () => {
  await load('true\n5\n7\n', { create: true })
  expect(await columns()).toEqual([['true', 'Int64']])
})

describe('blanks after the last value of a file are dropped', () => {
  beforeEach(() => scene.dataSource(scene.name, { id: 'Int32', v: 'String' }))
  const BROKEN = ['', '"x"y,1\n', '7\n', '7,x,y,z\n', 'z,z\n']

  test.each(['1,x ', '1,x\t ', '1,"x" ', '1,x \r', '1,x \n', '1,x, ', '1,x ,'])(
    'with every end of the file: %j',
    async last => {
      for (const broken of BROKEN) {
        const job = await load(`0,"a, ""b"" "\n${broken}${last}`, { header: false })
        expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 2 } })
      }
      const rows = await scene.table(scene.name, 'id, v')
      expect(rows).toEqual([...BROKEN.map(() => ['0', 'a, "b" ']), ...BROKEN.map(() => ['1', 'x'])])
    },
  )

  test('in a file whose lines end with CR', async () => {
    expect(await load('0,a \r1,x ', { header: false })).toMatchObject({ statistics: { rows_written: 2 } })
    expect(await load('2,a \r3,"x\ny" \r4, z\t', { header: false })).toMatchObject({ statistics: { rows_written: 3 } })
    expect((await scene.table(scene.name, 'id')).map(([, v]) => v)).toEqual(['a', 'x', 'a', 'x\ny', 'z'])
  })

  test('after a NUL, after a million characters, and in a file of one line', async () => {
    for (const v of ['\0', 'x'.repeat(1_000_000), ''])
      expect(await load(`5,${v}  `, { header: false, delimiter: ',' })).toMatchObject({
        statistics: { rows_written: 1 },
      })
    expect((await scene.table(scene.name)).map(([, v]) => v!.length).sort((a, b) => a - b)).toEqual([0, 1, 1_000_000])
  })

  test('unless tabs separate the values', async () => {
    expect(await load('0\ta \n1\tx ', { header: false, delimiter: '\t' })).toMatchObject({
      statistics: { rows_written: 2 },
    })
    expect((await scene.table(scene.name, 'id')).map(([, v]) => v)).toEqual(['a ', 'x '])
  })
})

describe('a carriage return that ends no line is part of its value', () => {
  beforeEach(() => scene.dataSource(scene.name, { id: 'Int32', v: 'String' }))
  const GOOD = '1,\rb\n2,a\rb\r\n3, \r"c" \n4,x\r,\n\r5,"y"\n \r6,\r\rz\n'
  const VALUES = ['\rb', 'a\rb', '\r"c"', 'x\r', 'y', '\r\rz']

  test.each([
    ['alone', '', 0],
    ['beside lines of another shape', '7\n8,x,y\n', 2],
    ['beside unreadable lines', '"x"y,1\n7,"z"\r,\n', 2],
    ['and a value that ends with a blank', '0,"a "\n7\n', 1],
  ])('%s', async (_, others, invalid) => {
    const job = await load(others + GOOD, { header: false, delimiter: ',' })
    expect(job).toMatchObject({ status: 'completed', statistics: { invalid_lines: invalid, quarantine_rows: 0 } })
    const rows = (await scene.table(scene.name, 'id')).filter(([id]) => id !== '0')
    expect(rows.map(([, v]) => v)).toEqual(VALUES)
  })

  test.each(['', '"z"z,1\n'])('even if it is the second of two before a quote, beside %j', async others => {
    await scene.dataSource(scene.renew(), { a: 'String', b: 'String' })
    const job = await load(`"q","r"\n${others}\r\r",x\n`, { header: false, delimiter: ',' })
    expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 2 } })
    expect((await scene.table(scene.name, 'b')).map(([a]) => a)).toEqual(['q', '\r"'])
  })
})

test('a value of several lines stays whole wherever the content is split into chunks', async () => {
  await scene.dataSource(scene.name, { id: 'Int32', v: 'String' })
  const MEBIBYTE = 1024 * 1024
  const head = '"x"y,1\r\n1,'
  for (const off of [-3, -2, -1, 0, 1, 2]) {
    const value = `a\r\n${'b'.repeat(MEBIBYTE + off - head.length - '"a\r\n"\r'.length)}`
    const job = await load(`${head}"${value}"\r\n2,c\r\n`, { header: false, mode: 'replace' })
    expect.soft(job).toMatchObject({ status: 'completed', statistics: { rows_written: 2, invalid_lines: 1 } })
    const rows = await scene.rows(`SELECT length(v) AS length, position(v, 'b') AS b FROM ${scene.name} ORDER BY id`)
    expect.soft(rows).toEqual([
      { length: String(value.length), b: '4' },
      { length: '1', b: '0' },
    ])
  }
})
