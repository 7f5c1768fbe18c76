import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/kernel/config.ts'
import { runScript } from '../docs/examples.ts'
import { startTestServer, type TestServer } from '../server.ts'

/** The calls of SynDB's document about query jobs, as printed. */
const SYNDB = {
  submit: `curl -X POST -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  https://api.syndb.xyz/v1/jobs \\
  -d '{"query": "SELECT * FROM neurons WHERE dataset_id = '\\''...'\\''", "format": "arrow"}'`,
  status: `curl -H "Authorization: Bearer $TOKEN" \\
  https://api.syndb.xyz/v1/jobs/{job_id}`,
  list: `curl -H "Authorization: Bearer $TOKEN" \\
  https://api.syndb.xyz/v1/jobs`,
  result: `curl -H "Authorization: Bearer $TOKEN" \\
  https://api.syndb.xyz/v1/jobs/{job_id}/result \\
  -o result.arrow`,
  cancel: `curl -X DELETE -H "Authorization: Bearer $TOKEN" \\
  https://api.syndb.xyz/v1/jobs/{job_id}`,
  rerun: `curl -X POST -H "Authorization: Bearer $TOKEN" \\
  https://api.syndb.xyz/v1/jobs/{job_id}/rerun`,
}

let server: TestServer
let directory: string
beforeAll(async () => {
  server = await startTestServer()
  directory = mkdtempSync(join(tmpdir(), 'millrace-syndb-'))
  const command = (sql: string) => server.warehouse.command({ workspace: 'default', sql })
  await command(
    'CREATE TABLE neurons (dataset_id String, neuron_id UInt64, depth Float64) ENGINE = MergeTree ORDER BY (dataset_id, neuron_id)',
  )
  await command(`INSERT INTO neurons SELECT if(number < 3, '...', 'another'), number, number / 4 FROM numbers(10)`)
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Makes a call of the document: only host, id and token are filled in. */
const call = (text: string, jobId = ''): Promise<string> => {
  const script = text.replace('https://api.syndb.xyz', server.url).replace('{job_id}', jobId)
  return runScript(script, { cwd: directory, environment: { PATH: process.env.PATH, TOKEN: server.token } })
}
const answerOf = async (text: string, jobId?: string) => JSON.parse(await call(text, jobId))
const ended = async (jobId: string) => (await server.call('GET', `/v1/jobs/${jobId}?wait=60`)).body

describe("SynDB's calls for query jobs, as its document prints them", () => {
  test('submit, status, list and download of the result', async () => {
    const { job_id: jobId } = await answerOf(SYNDB.submit)
    await ended(jobId)
    expect(await answerOf(SYNDB.status, jobId)).toMatchObject({ job_id: jobId, kind: 'query', status: 'completed' })
    const listed = (await answerOf(SYNDB.list)).jobs.map((job: { job_id: string }) => job.job_id)
    expect(listed).toContain(jobId)
    await call(SYNDB.result, jobId)
    const table = tableFromIPC(readFileSync(join(directory, 'result.arrow')))
    expect(table.toArray().map(row => Number(row.toJSON().neuron_id))).toEqual([0, 1, 2])
  })

  test('a failed job has its reason', async () => {
    const { job_id: jobId } = await answerOf(SYNDB.submit.replace('neurons', 'neurones'))
    await ended(jobId)
    const job = await answerOf(SYNDB.status, jobId)
    expect(job).toMatchObject({ status: 'failed', error: { code: 'sql_error' } })
    expect(job.error.message).toContain('neurones')
  })

  test('cancel', async () => {
    const endless = SYNDB.submit
      .replace('* FROM neurons', 'sleep(1) FROM numbers(1000000000000)')
      .replace('dataset_id', 'toString(number)')
    const { job_id: jobId } = await answerOf(endless)
    expect(['cancelling', 'cancelled']).toContain((await answerOf(SYNDB.cancel, jobId)).status)
    expect((await ended(jobId)).status).toBe('cancelled')
  })

  test('rerun makes a new job with the same parameters', async () => {
    const { job_id: first } = await answerOf(SYNDB.submit)
    const job = await ended(first)
    const { job_id: second } = await answerOf(SYNDB.rerun, first)
    expect(second).not.toBe(first)
    expect(await ended(second)).toMatchObject({
      status: 'completed',
      rerun_of: first,
      spec: job.spec,
      // Rows come in any order, so that the bytes may differ.
      result: { format: job.result.format },
      statistics: { row_count: job.statistics.row_count },
    })
  })

  test('the three settings have SynDB’s names and defaults', () => {
    const defaults = loadConfig({ flags: {}, environment: {}, directory }).config
    expect(defaults).toMatchObject({ maxWorkers: 4, resultTtlMs: 24 * 3_600_000, maxResultBytes: 2 ** 30 })
    const environment = { JOB_QUEUE_MAX_WORKERS: '2', JOB_RESULT_TTL_HOURS: '1', JOB_MAX_RESULT_BYTES: '1000' }
    const { config } = loadConfig({ flags: {}, environment, directory })
    expect(config).toMatchObject({ maxWorkers: 2, resultTtlMs: 3_600_000, maxResultBytes: 1000 })
  })
})
