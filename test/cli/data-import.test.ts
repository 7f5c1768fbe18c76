import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { api, type Finished, inProcess, type ServeProcess, startServe } from './millrace.ts'

let server: ServeProcess
beforeAll(async () => {
  server = await startServe(['--shutdown-grace', '1s', '--allow-private-addresses', 'true'])
  await api(server.cwd, 'POST', '/v1/datasources', { name: 'rows', schema: 'n UInt8, text String' })
})
afterAll(async () => {
  await server?.stop()
})

const run = (args: readonly string[], input?: string): Promise<Finished> =>
  inProcess(['import', ...args], { cwd: server.cwd, ...(input !== undefined && { input }) })
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(server.cwd, name), content)
  return name
}
const ask = async (query: string) => api(server.cwd, 'POST', '/v1/sql', { query })

test('a file is uploaded and imported, and the number of rows is reported', async () => {
  const { code, stdout, stderr } = await run([file('a.csv', 'n,text\n1,one\n2,two\n'), 'rows'])
  expect([code, stdout, stderr]).toEqual([
    0,
    '',
    expect.stringMatching(
      /^millrace: 2 rows written.*; 2 rows there now, .*\nmillrace: read as CSV separated by ",", with a header\n$/,
    ),
  ])
  expect(await ask('SELECT * FROM rows ORDER BY n')).toEqual([
    { n: 1, text: 'one' },
    { n: 2, text: 'two' },
  ])
})

test('columns that do not match are reported with the command that shows the existing ones', async () => {
  const refused = await run([file('other.csv', 'n,txt\n1,one\n'), 'rows'])
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/txt[\s\S]*\nmillrace datasources show NAME shows its columns\.\n$/),
  ])
})

test('JSON in a file without a telling name is refused instead of read as CSV, but not in a .csv file', async () => {
  const lines = file('app.log', '{"n":5,"text":"five"}\n{"n":6,"text":"six"}\n')
  const refused = await run([lines, 'logged', '--create'])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('say format: ndjson')])
  expect((await run([lines, 'logged', '--create', '--format', 'ndjson'])).code).toBe(0)
  expect(await ask('SELECT text FROM logged ORDER BY n')).toEqual([{ text: 'five' }, { text: 'six' }])
  const csv = await run([file('one.csv', '{"n":5}\n{"n":6}\n'), 'texts', '--create', '--no-header', '--quote', ''])
  expect(csv.code, csv.stderr).toBe(0)
})

test('invalid rows are reported, with the commands that show them', async () => {
  const { code, stderr } = await run([file('bad.csv', 'n,text\n3,three\nx,bad\n4\n'), 'rows'])
  expect([code, stderr]).toEqual([0, expect.stringMatching(/1 row written, 1 row quarantined, 1 invalid line/)])
  expect(stderr).toContain('millrace datasources quarantine rows\n')
  const [, id = ''] = /see what could not be read: millrace logs (\S+)\n/.exec(stderr) ?? []
  expect((await inProcess(['logs', id], { cwd: server.cwd })).stderr).toContain('line ')
  expect((await inProcess(['jobs', '--kind', 'import'], { cwd: server.cwd })).stdout).toMatch(
    /completed +import .* rows$/m,
  )
  const shown = await inProcess(['datasources', 'quarantine', 'rows'], { cwd: server.cwd })
  expect(shown.stdout).toMatch(/^when +column +error +n +text\n\S+ \S+ +n +.* x +bad\n/)
})

test('too many invalid rows fail the import, and nothing is written', async () => {
  const { code, stdout, stderr } = await run([
    file('bad.csv', 'n,text\n5,five\nx,bad\n'),
    'rows',
    '--max-bad-rows',
    '10%',
  ])
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^millrace: .*bad/)
  expect(await ask('SELECT count() AS found FROM rows WHERE n = 5')).toEqual([{ found: '0' }])
})

test('a data source is created from compressed content and replaced from standard input', async () => {
  const rows = '{"id": 1, "who": {"name": "a"}}\n{"id": 2, "who": {"name": "b"}}\n'
  const { code, stderr } = await run([file('new.ndjson.gz', gzipSync(rows)), 'made_new', '--create', '--json'])
  expect(code, stderr).toBe(0)
  const piped = await run(
    ['-', 'made_new', '--format', 'ndjson', '--mode', 'replace'],
    '{"id": 7, "who": {"name": "c"}}\n',
  )
  expect(piped.code, piped.stderr).toBe(0)
  expect(await ask('SELECT id FROM made_new')).toHaveLength(1)
})

test('empty standard input appends nothing and is reported; as a replacement it fails', async () => {
  const before = await ask('SELECT count() AS found FROM rows')
  const appended = await run(['-', 'rows'], '')
  expect([appended.code, appended.stderr]).toEqual([
    0,
    expect.stringMatching(/^millrace: the input was empty: 0 rows written.*; \d+ rows? there now, /),
  ])
  const replaced = await run(['-', 'rows', '--mode', 'replace'], '')
  expect([replaced.code, replaced.stderr]).toEqual([1, expect.stringContaining('The content has no rows.')])
  expect(await ask('SELECT count() AS found FROM rows')).toEqual(before)
  expect((await run(['-', 'rows'], 'n,text\n')).stderr).toMatch(/^millrace: 0 rows written/)
})

test('options set the delimiter, the quote, the lines to skip and that there is no header', async () => {
  const options = ['--delimiter', ';', '--quote', "'", '--no-header', '--skip-lines', '1', '--mode', 'replace']
  const { code, stderr } = await run([file('odd.txt', "Sales\n6;'a;b'\n"), 'rows', '--name', 'odd', ...options])
  expect(code, stderr).toBe(0)
  expect(await ask('SELECT * FROM rows')).toEqual([{ n: 6, text: 'a;b' }])
  expect((await api(server.cwd, 'GET', '/v1/jobs?name=odd')).jobs).toHaveLength(1)
})

test('compression is recognized by the content, not by the name of the file', async () => {
  const rows = 'n,text\n9,nine\n'
  for (const [name, content] of [
    ['unpacked.csv.gz', rows],
    ['packed.csv', gzipSync(rows)],
  ] as const) {
    const { code, stderr } = await run([file(name, content), 'rows', '--mode', 'replace'])
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^millrace: 1 row written in /)])
  }
})

test('swapped arguments are reported with the right order', async () => {
  const { code, stderr } = await run(['rows', 'http://127.0.0.1/rows.csv'])
  expect([code, stderr]).toEqual([
    2,
    'millrace: the URL comes first, then the data source: millrace import http://127.0.0.1/rows.csv rows\n',
  ])
})

test('a file with only a header makes text columns, and that is reported', async () => {
  const bare = file('bare.csv', 'id,name\n')
  const inferred = await inProcess(['datasources', 'infer', bare], { cwd: server.cwd })
  expect(inferred.stderr).toMatch(/with a header; there are no rows, so all columns are text\n$/)
  expect((await run([bare, 'bare', '--create'])).stderr).toMatch(/there were no rows: .* its columns are text\n$/)
  expect((await run([bare, 'rows', '--header'])).code).toBe(1)
  expect((await run([file('n.csv', 'n,text\n'), 'rows'])).stderr).not.toContain('there were no rows')
})

test('a URL is read by the server itself', async () => {
  const source = createServer((_request, response) => response.end('n,text\n8,eight\n')).listen(0, '127.0.0.1')
  await new Promise(resolve => source.once('listening', resolve))
  const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}/rows.csv`
  const { code, stdout } = await run([url, 'rows', '--json'])
  source.close()
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    spec: { import: { url, format: 'csv' } },
    statistics: { rows_written: 1 },
  })
})

test('--detach prints the id of the job, and job shows its figures', async () => {
  const { code, stdout } = await run([file('a.csv', 'n,text\n1,one\n'), 'rows', '--detach'])
  expect(code).toBe(0)
  const shown = await inProcess(['job', '--wait', stdout.trim()], { cwd: server.cwd })
  expect(shown.stdout).toMatch(/^statistics +rows_written 1, .*delimiter ",", header true/m)
  expect(await api(server.cwd, 'GET', `/v1/jobs/${stdout.trim()}`)).toMatchObject({ kind: 'import' })
})

test.each([
  [['nowhere.csv', 'rows'], 2, 'nowhere.csv'],
  [['.', 'rows'], 2, 'is not a file'],
  [['a.csv', 'nowhere'], 125, 'There is no data source nowhere: create it first, or import with create'],
  [['a.csv', 'rows', '--format', 'xlsx'], 2, 'parquet'],
  [['a.csv', 'rows', '--max-bad-rows', 'many'], 125, 'max_bad_rows'],
] as const)('%j is refused', async (args, code, text) => {
  const refused = await run(args)
  expect([refused.code, refused.stdout]).toEqual([code, ''])
  expect(refused.stderr).toContain(text)
})
