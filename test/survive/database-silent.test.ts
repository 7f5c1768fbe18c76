import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TOKEN } from '../chaos/server-process.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'
import { openWay, type Way } from './way-to-database.ts'

let database: TestDatabase
let way: Way
let directory: string
let receiver: Server
/** Requests that the receiver holds open, and the most it ever had at once. */
let held = 0
let mostHeld = 0
let requests = 0
const servers: TestServer[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-silent-'))
  database = await createTestDatabase()
  way = await openWay(new URL(database.url))
  receiver = createServer((_request, response) => {
    requests += 1
    held += 1
    mostHeld = Math.max(mostHeld, held)
    response.on('close', () => {
      held -= 1
    })
    if (requests > 1) response.end()
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
})
afterAll(async () => {
  way?.restore()
  for (const server of servers) await server.stop()
  receiver?.closeAllConnections()
  receiver?.close()
  await way?.close()
  await database?.drop()
  rmSync(directory, { recursive: true, force: true })
})

const start = async (databaseUrl: string): Promise<TestServer> => {
  const settings = {
    'database-url': databaseUrl,
    'blob-url': `file://${directory}`,
    'secret-key': 'shared by both',
    'allow-private-addresses': 'true',
    'shutdown-grace': '0s',
    'admin-token': TOKEN,
  }
  const server = await startTestServer({ settings })
  servers.push(server)
  return server
}

const throughTheWay = (): string => {
  const url = new URL(database.url)
  url.port = String(way.port)
  return url.href
}

test('a worker whose database no longer answers ends its jobs before another one takes them', async () => {
  const cutOff = await start(throughTheWay())
  const { port } = receiver.address() as AddressInfo
  const body = { http: { url: `http://127.0.0.1:${port}/` }, timeout_seconds: 120 }
  const { body: submitted } = await cutOff.call('POST', '/v1/jobs', body)
  await expect.poll(() => held, { timeout: 20_000 }).toBe(1)
  const other = await start(database.url)
  // So that there are connections to fall silent: one that is just being opened would fail soon.
  await Promise.all(Array.from({ length: 32 }, () => cutOff.call('GET', `/v1/jobs/${submitted.job_id}`)))
  way.silence()
  await expect.poll(() => requests, { timeout: 60_000 }).toBe(2)
  expect(mostHeld).toBe(1)
  const { body: job } = await other.call('GET', `/v1/jobs/${submitted.job_id}?wait=20`)
  expect(job).toMatchObject({ status: 'completed', attempt: 2, system_attempts: 1 })
}, 120_000)
