import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer } from '../server.ts'

let dataDir: string
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-key-'))
  await (await startTestServer({ dataDir })).stop()
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

/** How a server on this data directory reports its key. */
const started = async () => {
  const server = await startTestServer({ dataDir })
  const { status, body } = await server.call('GET', '/readyz')
  await server.stop()
  const { problems } = body.parts.find(({ part }: { part: string }) => part === 'secrets')
  return { status, told: server.problems.find(({ part }) => part === 'secrets')!.problems, problems }
}

const READY = { status: 200, told: [], problems: [] }

test('a server without the secret key of its database is not ready and says what to do, until the key is back', async () => {
  const file = join(dataDir, 'secret-key')
  renameSync(file, `${file}-away`)
  const problem = {
    severity: 'unavailable',
    message: expect.stringMatching(/under another key.* MILLRACE_SECRET_KEY .*secret-key of the data directory/),
  }
  expect(await started()).toEqual({ status: 503, told: [problem], problems: [problem] })
  renameSync(`${file}-away`, file)
  expect(await started()).toEqual(READY)
})

test('its jobs wait for the key instead of failing', async () => {
  const file = join(dataDir, 'secret-key')
  const before = await startTestServer({ dataDir, settings: { roles: 'api' } })
  const body = { command: 'test "$PIN" = 1234', environment: { PIN: '1234' }, secrets: ['PIN'] }
  const { job_id } = (await before.call('POST', '/v1/jobs', body)).body
  await before.stop()
  renameSync(file, `${file}-away`)
  const without = await startTestServer({ dataDir })
  const { body: job } = await without.call('GET', `/v1/jobs/${job_id}?wait=2`)
  expect(job).toMatchObject({ status: 'queued', attempt: 0 })
  await without.stop()
  renameSync(`${file}-away`, file)
  const server = await startTestServer({ dataDir })
  const { body: ended } = await server.call('GET', `/v1/jobs/${job_id}?wait=60`)
  expect(ended).toMatchObject({ status: 'completed', attempt: 1 })
  await server.stop()
})

test('what has secrets is refused meanwhile, because the right key could not decrypt it; the rest is accepted', async () => {
  const file = join(dataDir, 'secret-key')
  const environment = { API_TOKEN: 'abcdefgh' }
  const workflow = { name: 'with-secrets', payload: [{ command: 'true' }], environment }
  const before = await startTestServer({ dataDir })
  expect(await before.call('POST', '/v1/workflows', workflow)).toMatchObject({ status: 201 })
  await before.stop()
  renameSync(file, `${file}-away`)
  const server = await startTestServer({ dataDir })
  const sinks = [{ type: 'webhook', url: 'http://127.0.0.1:1/', secret: `whsec_${'a'.repeat(32)}` }]
  const http = { url: 'http://127.0.0.1:1/', headers: { authorization: 'Bearer abcdefgh' } }
  const refused = [
    await server.call('POST', '/v1/jobs', { command: 'true', environment }),
    await server.call('POST', '/v1/jobs/batch', { jobs: [{ command: 'true' }, { http }] }),
    await server.call('POST', '/v1/jobs', { command: 'true', sinks }),
    await server.call('POST', '/v1/workflows', { ...workflow, name: 'second' }),
    await server.call('POST', '/v1/workflows', { name: 'third', payload: [{ command: 'true' }], sinks }),
    await server.call('PUT', '/v1/workflows/with-secrets', workflow),
    await server.call('POST', '/v1/workflows/with-secrets/trigger', {}),
  ]
  for (const answer of refused)
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'unavailable', detail: expect.stringMatching(/ accepts no secrets.* MILLRACE_SECRET_KEY /) },
    })
  const open = { command: 'true', environment: { COLOUR: 'blue' } }
  expect(await server.call('POST', '/v1/jobs', open)).toMatchObject({ status: 201 })
  const plain = { name: 'plain', payload: [open] }
  expect(await server.call('POST', '/v1/workflows', plain)).toMatchObject({ status: 201 })
  expect((await server.call('GET', '/v1/workflows?limit=10')).body.workflows).toHaveLength(2)
  await server.stop()
  renameSync(`${file}-away`, file)
})

test('with the setting deleted, as the message says, a server runs with another key', async () => {
  rmSync(join(dataDir, 'secret-key'))
  expect(await started()).toMatchObject({ status: 503 })
  const database = new DatabaseSync(join(dataDir, 'millrace.db'))
  database.exec(`DELETE FROM setting WHERE name = 'secret_key_proof'`)
  database.close()
  expect(await started()).toEqual(READY)
})
