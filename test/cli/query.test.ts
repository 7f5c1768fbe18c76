import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { stripVTControlCharacters } from 'node:util'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  api,
  type Finished,
  finished,
  millrace,
  needTerminal,
  printed,
  type ServeProcess,
  start,
  startOnTerminal,
  startServe,
} from './millrace.ts'

let server: ServeProcess
beforeAll(async () => {
  server = await startServe(['--shutdown-grace', '1s'])
})
afterAll(async () => {
  await server?.stop()
})

const query = (args: readonly string[], input?: string): Promise<Finished> =>
  millrace(['query', ...args], { cwd: server.cwd, ...(input !== undefined && { input }) })

test('rows are printed as a table', async () => {
  const { code, stdout, stderr } = await query([
    "SELECT number AS id, concat('row ', toString(number)) AS name FROM numbers(2)",
  ])
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'id  name\n 0  row 0\n 1  row 1\n', stderr: '' })
})

test('infinities, NaN and NULL are printed differently', async () => {
  const { stdout } = await query(['SELECT arrayJoin([1 / 0, -1 / 0, nan, 0 / 0, 0.5, NULL]) AS x, [abs(x)] AS list'])
  expect(stdout.split('\n').map(line => line.trimEnd())).toEqual([
    '   x  list',
    ' inf  ["inf"]',
    '-inf  ["inf"]',
    ' nan  ["nan"]',
    ' nan  ["nan"]',
    ' 0.5  [0.5]',
    '      [null]',
    '',
  ])
})

test('a result without rows is reported in words', async () => {
  expect(await query(['SELECT 1 WHERE 0'])).toEqual({ code: 0, stdout: '', stderr: 'millrace: 0 rows\n' })
})

test('only the first of many rows are shown, with their total', async () => {
  const { stdout, stderr } = await query(['SELECT number FROM numbers(123456)'])
  expect(stdout.trimEnd().split('\n')).toHaveLength(1001)
  expect(stderr).toBe('millrace: the first 1000 of 123,456 rows; -o FILE writes them all\n')
})

test('a result in a given format is printed unchanged', async () => {
  expect((await query(['--format', 'csv', 'SELECT 1 AS a'])).stdout).toBe('"a"\n1\n')
  expect(JSON.parse((await query(['--json', 'SELECT 1 AS a'])).stdout)).toEqual([{ a: 1 }])
})

test('an output file has the format of its extension, Arrow if it has none', async () => {
  const { code, stdout, stderr } = await query(['-o', 'rows.csv', 'SELECT 1 AS a'])
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: 'millrace: 1 row, 6 B: rows.csv\n' })
  expect(readFileSync(join(server.cwd, 'rows.csv'), 'utf8')).toBe('"a"\n1\n')
  await query(['-o', 'rows', 'SELECT number FROM numbers(5)'])
  expect(tableFromIPC(readFileSync(join(server.cwd, 'rows'))).numRows).toBe(5)
})

test('an unknown extension is refused before the query runs, unless a format is given', async () => {
  for (const file of ['rows.csv.gz', 'rows.xlsx']) {
    const { code, stderr } = await query(['-o', file, 'SELECT 1 AS a'])
    expect([code, readdirSync(server.cwd).includes(file)]).toEqual([2, false])
    expect(stderr).toMatch(/no format has the extension \.(gz|xlsx).*\.parquet.*--format/s)
  }
  expect((await query(['-f', 'csv', '-o', 'rows.txt', 'SELECT 1 AS a'])).code).toBe(0)
  expect(readFileSync(join(server.cwd, 'rows.txt'), 'utf8')).toBe('"a"\n1\n')
})

test('an output file that cannot be written is reported in words, and nothing is left there', async () => {
  mkdirSync(join(server.cwd, 'taken'))
  writeFileSync(join(server.cwd, 'plain'), 'text')
  for (const [file, words] of [
    ['taken', /taken is a directory, not a file\n$/],
    ['plain/rows.csv', /plain\/rows\.csv cannot be written: ENOTDIR|EEXIST/],
  ] as const) {
    const { code, stdout, stderr } = await query(['-o', file, 'SELECT 1 AS a'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(words)
    expect(stderr).not.toContain('    at ')
  }
  expect(readdirSync(server.cwd).filter(name => name.endsWith('.part'))).toEqual([])
})

test('the SQL may come from standard input, with parameters', async () => {
  const options = ['--param', 'n=3', '-p', "text=it's", '-p', 'list=[1,2]', '--format', 'ndjson', '--name', 'mine']
  const sql = 'SELECT {n:UInt8} AS n, {text:String} AS text, {list:Array(UInt8)} AS list'
  const { stdout, stderr } = await query([...options, '-'], sql)
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({ n: 3, text: "it's", list: [1, 2] })
  const { jobs } = await api(server.cwd, 'GET', '/v1/jobs?name=mine')
  expect(jobs[0].spec.query).toBe(sql)
})

test('wrong SQL is reported with its position, and the exit code is 1', async () => {
  const { code, stdout, stderr } = await query(['SELEC 1'])
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^millrace: Syntax error.*position 7/)
})

test('a timeout is reported in words', async () => {
  const { code, stderr } = await query([
    '--timeout',
    '0.5',
    'SELECT count() FROM numbers(1000000000000) WHERE sleep(1) = 0',
  ])
  expect(code).toBe(1)
  expect(stderr).toContain('timeout_seconds')
})

test('Ctrl-C cancels the query', async () => {
  const sql = 'SELECT count() FROM numbers(1000000000000) WHERE sleep(1) = 0'
  const child = start(['query', '--name', 'long', sql], { cwd: server.cwd })
  const end = finished(child)
  const jobs = async () => (await api(server.cwd, 'GET', '/v1/jobs?name=long')).jobs
  await expect.poll(async () => (await jobs())[0]?.status, { timeout: 20_000 }).toBe('running')
  child.kill('SIGINT')
  // The job may be running before the command has the answer.
  const stderr = /^(millrace: it will be cancelled when .*\n)?millrace: cancelling; press Ctrl-C again to leave it\n$/
  expect(await end).toEqual({ code: 130, stdout: '', stderr: expect.stringMatching(stderr) })
  expect((await jobs())[0].status).toBe('cancelled')
})

test('a message replaces the progress on a terminal', async context => {
  needTerminal(context)
  const sql = 'SELECT count() FROM numbers(1000000000000) WHERE sleep(1) = 0'
  const child = startOnTerminal(['query', sql], { cwd: server.cwd })
  await printed(child.stdout, /rows/)
  const screen = text(child.stdout)
  child.stdin.write('\x03')
  const [before, after] = (await screen).split('millrace: cancelling')
  expect(after).toContain('press Ctrl-C again to leave it')
  const cleared = before!.slice(before!.lastIndexOf('\r'))
  expect(stripVTControlCharacters(cleared)).toBe('\r')
})

test('an unknown format is refused before the query runs', async () => {
  const { code, stderr } = await query(['--format', 'xlsx', 'SELECT 1'])
  expect(code).toBe(2)
  expect(stderr).toContain('parquet')
})
