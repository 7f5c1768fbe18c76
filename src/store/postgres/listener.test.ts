import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts'
import { Listener } from './listener.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const countListeners = async () => {
  const [row] = await database.query(
    `SELECT count(*)::integer AS count FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'millrace listener'`,
  )
  return row!.count
}

/** A way to the database on which LISTEN fails, as on a standby. */
const openDeafWay = async (to: URL) => {
  const server = createServer(near => {
    const far = connect({ host: to.hostname, port: Number(to.port) })
    near.on('data', bytes => far.write(bytes.toString('latin1').replace('LISTEN', 'LISTEM'), 'latin1'))
    far.pipe(near)
    near.on('error', () => {}).on('close', () => far.destroy())
    far.on('error', () => {}).on('close', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

test('a connection that cannot listen is closed: tries during a failover must not use up all connections', async () => {
  const way = await openDeafWay(new URL(database.url))
  const { port } = way.address() as AddressInfo
  const url = Object.assign(new URL(database.url), { port }).href
  const listener = new Listener({ url, processName: 'deaf' })
  await expect(listener.start()).rejects.toThrow('syntax error')
  await expect.poll(countListeners, { timeout: 10_000 }).toBe(0)
  await listener.stop()
  way.close()
})

test('a notification that no server has sent is ignored', async () => {
  const listener = new Listener({ url: database.url, processName: 'test' })
  await listener.start()
  const heard: string[] = []
  listener.signals.on(({ type }) => heard.push(type))
  for (const payload of ['', 'by hand', '[]', '{"queued": true}', '{"from": "me"}'])
    await database.query(`SELECT pg_notify('millrace', '${payload}')`)
  const notice = { from: 'another server', queued: true, events: [], runEvents: [], notifications: [], logsOf: [] }
  await database.query(`SELECT pg_notify('millrace', '${JSON.stringify(notice)}')`)
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['queued'])
  await listener.stop()
})
