import { readdirSync, readlinkSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { millisecondsAtOnce } from '../at-once.ts'
import { materialized } from '../data/scene.ts'
import { openImportScene } from './scene.ts'
import { useImportScene } from './use-import-scene.ts'

const scene = useImportScene('csv', { open: () => openImportScene({ 'max-workers': '6' }) })
const { load } = scene

/** A data source of days, and one that is fed from it with the number of rows of each day. */
beforeEach(async () => {
  await scene.dataSource(scene.name, { day: 'Date', n: 'UInt32' }, { partitionKey: 'toYYYYMM(day)' })
  const sql = `SELECT day, countState() AS rows, sumState(n) AS total FROM ${scene.name} GROUP BY day`
  await scene.pipe(`pipe_${scene.name}`, [
    { name: `node_${scene.name}`, sql, role: materialized(`${scene.name}_days`) },
  ])
})

const days = async () =>
  (
    await scene.rows<{ day: string; rows: string; total: string }>(
      `SELECT day, countMerge(rows) AS rows, sumMerge(total) AS total FROM ${scene.name}_days GROUP BY day ORDER BY day`,
    )
  ).map(row => [row.day, Number(row.rows), Number(row.total)])

const FIRST = 'day,n\n2026-01-01,1\n2026-01-01,2\n2026-02-01,3\n'

test('derived data sources follow both appends and replaces', async () => {
  await load(FIRST)
  expect(await days()).toEqual([
    ['2026-01-01', 2, 3],
    ['2026-02-01', 1, 3],
  ])
  await load('2026-02-01,4\nx,1\n')
  expect(await days()).toEqual([
    ['2026-01-01', 2, 3],
    ['2026-02-01', 2, 7],
  ])
  expect(await load('2026-03-01,5\n', { mode: 'replace' })).toMatchObject({ statistics: { row_count: 1 } })
  expect(await days()).toEqual([['2026-03-01', 1, 5]])
})

test('replace_condition selects the rows to be replaced, and all new rows must meet it', async () => {
  await load(FIRST)
  const replace = { mode: 'replace', replace_condition: "day = '2026-01-01'" }
  expect(await load('2026-01-01,10\n', replace)).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 1, row_count: 2 },
  })
  expect(await days()).toEqual([
    ['2026-01-01', 1, 10],
    ['2026-02-01', 1, 3],
  ])
  expect(await load('2026-01-01,1\n2026-03-01,2\n', replace)).toMatchObject({
    status: 'failed',
    error: { code: 'schema_mismatch', message: expect.stringMatching(/\(not for 1\).*2026-03-01/) },
  })
  for (const replace_condition of ['day = (SELECT max(day) FROM system.parts)', 'nothing = 1', 'n ='])
    expect(await load('2026-01-01,1\n', { mode: 'replace', replace_condition })).toMatchObject({
      status: 'failed',
      error: { code: 'sql_error' },
    })
  expect(await days()).toEqual([
    ['2026-01-01', 1, 10],
    ['2026-02-01', 1, 3],
  ])
})

test('two imports into one data source run one after the other, and both complete', async () => {
  const ids = await Promise.all(
    [1, 2, 3].map(n =>
      scene.submit({ datasource: scene.name, url: scene.give(`/${scene.name}_${n}`, `2026-01-0${n},${n}\n`) }),
    ),
  )
  for (const id of ids) expect(await scene.job(id, 60)).toMatchObject({ status: 'completed' })
  expect(await days()).toEqual([
    ['2026-01-01', 1, 1],
    ['2026-01-02', 1, 2],
    ['2026-01-03', 1, 3],
  ])
})

test('a query that reads while all rows are replaced sees the old ones', async () => {
  const rows = (n: number) => Array.from({ length: 2000 }, () => `2026-01-01,${n}`).join('\n')
  await load(rows(1))
  const sql = `SELECT min(n) AS low, max(n) AS high, sum(sleepEachRow(0.0005)) AS slow FROM ${scene.name} SETTINGS max_block_size = 100`
  const reading = scene.run({ query: sql.replace(/ SETTINGS.*/, ''), format: 'json' })
  await expect
    .poll(async () => (await scene.call('GET', '/v1/jobs?kind=query&status=running')).body.jobs.length)
    .toBe(1)
  expect(await load(rows(2), { mode: 'replace' })).toMatchObject({ status: 'completed' })
  const query = await reading
  const { body } = await scene.call('GET', `/v1/jobs/${query.job_id}/result`)
  expect(query.status).toBe('completed')
  expect(body[0].low).toBe(body[0].high)
  expect(await scene.value(`SELECT min(n) FROM ${scene.name}`)).toBe('2')
})

const stagingOf = async (id: string) =>
  (await scene.staging()).filter(database => database.includes(id.replaceAll('-', '')))

const spooled = () => readdirSync(join(scene.dataDir, 'warehouse/default/imports'))

/** The engine's process has the folder of the workspace as its working directory. */
const engine = (): number =>
  readdirSync('/proc')
    .filter(pid => /^\d+$/.test(pid))
    .map(Number)
    .find(pid => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(join(scene.dataDir, 'warehouse'))
      } catch {
        return false
      }
    })!

/** Enough rows for loading to take seconds. */
const many = (rows: number) => {
  const line = '2026-01-01,1\n'
  return Buffer.from(`day,n\n${line.repeat(rows)}`)
}

test('an import whose engine is killed is retried, and its rows are there once', async () => {
  await load(FIRST)
  const id = await scene.submit({ datasource: scene.name, url: scene.give(`/${scene.name}`, many(20_000_000)) })
  await expect.poll(() => stagingOf(id), { timeout: 30_000, interval: 5 }).toHaveLength(1)
  process.kill(engine(), 'SIGKILL')
  expect(await scene.job(id, 60)).toMatchObject({ status: 'completed', attempt: 2, system_attempts: 1 })
  expect(await scene.value(`SELECT count() FROM ${scene.name}`)).toBe('20000003')
  expect([await scene.staging(), spooled()]).toEqual([[], []])
}, 120_000)

const cancel = async (id: string): Promise<number> => {
  const asked = performance.now()
  const { body } = await scene.call('POST', `/v1/jobs/${id}/cancel`)
  expect(body.status).toBe('cancelling')
  expect((await scene.job(id, 30)).status).toBe('cancelled')
  return performance.now() - asked
}

test('a download is cancelled within a second, before its first byte and half-way', async () => {
  const atOnce = await millisecondsAtOnce(() => load(FIRST))
  const open: ServerResponse[] = []
  for (const head of ['', 'day,n\n2026-01-01,1\n']) {
    const url = scene.give('/slow', (_, response) => {
      open.push(response)
      if (head !== '') response.write(head)
    })
    const asked = open.length
    const id = await scene.submit({ datasource: scene.name, url })
    await expect.poll(() => open.length).toBe(asked + 1)
    expect(await cancel(id)).toBeLessThan(atOnce)
    await expect.poll(() => open.at(-1)!.closed).toBe(true)
  }
  expect(spooled()).toEqual([])
  expect(await scene.value(`SELECT count() FROM ${scene.name}`)).toBe('3')
})

test('a source that breaks off while its first rows are loaded leaves everything as it was', async () => {
  await load(FIRST)
  const content = many(4_000_000)
  const url = scene.give('/breaks', (_, response) => {
    response.writeHead(200, { 'content-length': content.length })
    response.write(content.subarray(0, 30_000_000), () => setTimeout(() => response.destroy(), 200))
  })
  expect(await scene.import({ datasource: scene.name, url })).toMatchObject({
    status: 'failed',
    system_attempts: 0,
    error: { code: 'source_broken' },
  })
  expect(await days()).toEqual([
    ['2026-01-01', 2, 3],
    ['2026-02-01', 1, 3],
  ])
  expect([await scene.staging(), spooled()]).toEqual([[], []])
}, 60_000)

test.each([
  ['loaded', '', async (id: string) => (await stagingOf(id)).length === 1],
  ['split', 'x,1\n', async (id: string) => (await tablesIn(id)).some(table => table.startsWith('stg_judged'))],
  ['sieved', '"x"y,1\n', async () => spooled().some(file => file.endsWith('.sieved'))],
])(
  'an import that is being %s is cancelled at once and leaves everything as it was',
  async (_, last, isThere) => {
    const atOnce = await millisecondsAtOnce(() => load(FIRST))
    const content = Buffer.concat([many(8_000_000), Buffer.from(last)])
    const id = await scene.submit({ datasource: scene.name, url: scene.give(`/${scene.name}`, content) })
    await expect.poll(() => isThere(id), { timeout: 60_000, interval: 10 }).toBe(true)
    expect(await cancel(id)).toBeLessThan(atOnce)
    expect(await scene.value(`SELECT count() FROM ${scene.name}`)).toBe('3')
    expect([await scene.staging(), spooled()]).toEqual([[], []])
  },
  120_000,
)

const tablesIn = async (id: string): Promise<readonly string[]> => {
  const tables = await scene.rows<{ name: string; database: string }>('SELECT database, name FROM system.tables')
  return tables.filter(table => table.database.includes(id.replaceAll('-', ''))).map(table => table.name)
}

test('a column may have the name of a placeholder in the server’s SQL', async () => {
  const columns = { __content__: 'UInt8', "it's": 'String' }
  await scene.dataSource('odd_names', columns)
  const content = `{"__content__":1,"it's":"a"}\n{"__content__":2,"it's":"b"}\n`
  const url = scene.give('/odd_names.ndjson', content)
  expect(await scene.import({ datasource: 'odd_names', url })).toMatchObject({ statistics: { rows_written: 2 } })
})

test('where rows replace each other, the last line of the content wins', async () => {
  const keys = { engine: 'ReplacingMergeTree', sortingKey: 'id' }
  const lines = Array.from({ length: 1_000_000 }, (_, index) => `${index % 1000},${index}\n`).join('')
  for (const again of ['once', 'twice', 'thrice']) {
    await scene.dataSource(`last_${again}`, { id: 'UInt32', n: 'UInt32' }, keys)
    await scene.import({ datasource: `last_${again}`, url: scene.give(`/last_${again}`, `id,n\n${lines}`) })
    expect(await scene.value(`SELECT (count(), min(n)) FROM last_${again} FINAL`)).toBe('1000,999000')
  }
})
