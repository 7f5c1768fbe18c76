import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

let dataDir: string
let server: TestServer
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-renew-'))
  server = await startTestServer({ dataDir })
})
afterAll(async () => {
  await server?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const restart = async (): Promise<void> => {
  await server.stop()
  server = await startTestServer({ dataDir })
}

const sql = (text: string) => server.warehouse.command({ workspace: 'default', sql: text })

const numbersIn = async (limit: number): Promise<readonly string[]> => {
  const numbers: string[] = []
  let cursor = ''
  do {
    const { status, body } = await server.call('GET', `/v1/datasources/old/quarantine?limit=${limit}${cursor}`)
    expect(status, JSON.stringify(body)).toBe(200)
    numbers.push(...body.rows.map((row: { n: string }) => row.n))
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
  } while (cursor !== '')
  return numbers
}

const tables = async () => {
  const text = `SELECT name, comment, sorting_key FROM system.tables WHERE database = 'live' ORDER BY name`
  return server.warehouse.rows<{ name: string; comment: string; sorting_key: string }>({
    workspace: 'default',
    sql: text,
  })
}

/** A quarantine table from before rows had numbers. */
const makeOld = async (table: string, rows: number): Promise<void> => {
  const [{ comment } = { comment: '' }] = (await tables()).filter(({ name }) => name === 'old')
  await sql(`CREATE TABLE live.${table} (n Nullable(String), c__error_column Array(String), c__error Array(String),
    c__import_id String, insertion_date DateTime) ENGINE = MergeTree ORDER BY insertion_date COMMENT '${comment}'`)
  await sql(
    `INSERT INTO live.${table} SELECT 'x' || toString(number), ['n'], ['is no number'], 'job', '2026-11-01 00:00:00' FROM numbers(${rows})`,
  )
}

test('a quarantine table of an earlier version is migrated at the next start, and imports add to it', async () => {
  await server.call('POST', '/v1/datasources', { name: 'old', schema: 'n UInt8' })
  await makeOld('old_quarantine', 7)
  await restart()
  expect((await numbersIn(3)).toSorted()).toEqual(['x0', 'x1', 'x2', 'x3', 'x4', 'x5', 'x6'])
  const sent = await fetch(`${server.url}/v1/datasources/old/import?format=csv`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}` },
    body: 'n\n1\nnot one\n',
  })
  const { job_id } = (await sent.json()) as { job_id: string }
  const { body: job } = await server.call('GET', `/v1/jobs/${job_id}?wait=60`)
  expect([job.status, job.statistics.quarantine_rows]).toEqual(['completed', 1])
  expect(await numbersIn(3)).toHaveLength(8)
  expect((await numbersIn(3))[0]).toBe('not one')
})

test('a migration that was interrupted before it dropped the former table is finished by the next start', async () => {
  await makeOld('c__renewed', 1)
  await restart()
  expect(await numbersIn(100)).toHaveLength(8)
  expect((await tables()).map(({ name, sorting_key }) => [name, sorting_key])).toEqual([
    ['old', ''],
    ['old_quarantine', 'insertion_date, c__row'],
  ])
})
