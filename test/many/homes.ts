import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { createServerProcess, type ServerProcess, TOKEN } from '../chaos/server-process.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'

export type Homes = {
  /** The store that the servers of a test share. */
  readonly database: () => TestDatabase
  /** A server with its own engine and data directory, which it keeps over restarts. Stopped after the test. */
  readonly start: (name: string, more?: Record<string, string>) => Promise<TestServer>
  readonly stop: (server: TestServer) => Promise<void>
  /** A server that can be killed. */
  readonly createProcess: () => Promise<ServerProcess>
}

/** Servers with embedded engines that share a PostgreSQL, which is empty at the start of each test. */
export const openHomes = (): Homes => {
  let database: TestDatabase
  let directory: string
  let servers: TestServer[] = []

  beforeAll(async () => {
    database = await createTestDatabase()
  })
  beforeEach(async () => {
    await database.renew()
    directory = mkdtempSync(join(tmpdir(), 'millrace-home-'))
  })
  afterEach(async () => {
    for (const server of servers) await server.stop()
    servers = []
    rmSync(directory, { recursive: true, force: true })
  })
  afterAll(() => database?.drop())

  return {
    database: () => database,
    start: async (name, more = {}) => {
      const settings = {
        'database-url': database.url,
        'blob-url': `file://${directory}/blobs`,
        'secret-key': 'shared by all',
        'admin-token': TOKEN,
        'shutdown-grace': '0s',
      }
      const server = await startTestServer({ settings: { ...settings, ...more }, dataDir: join(directory, name) })
      servers.push(server)
      return server
    },
    stop: async server => {
      servers = servers.filter(other => other !== server)
      await server.stop()
    },
    createProcess: () =>
      createServerProcess({
        directory,
        environment: {
          MILLRACE_DATABASE_URL: database.url,
          MILLRACE_BLOB_URL: `file://${directory}/blobs`,
          MILLRACE_SECRET_KEY: 'shared by all',
        },
      }),
  }
}

export const SOURCE = { name: 'events', schema: 'n UInt32' }
export const create = async (server: TestServer): Promise<void> => {
  const answer = await server.call('POST', '/v1/datasources', SOURCE)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
}
export const sql = (server: TestServer, query = 'SELECT arraySort(groupArray(n)) AS n FROM events') =>
  server.call('POST', '/v1/sql', { query })
export const append = (n: number) => ({ query: `SELECT ${n} AS n`, datasource: 'events' })
export const refusal = (home: TestServer) => ({
  status: 503,
  body: { code: 'engine_unavailable', detail: expect.stringContaining(`(${home.url})`) },
})

export const untilPublications = async (database: TestDatabase, count: number): Promise<void> => {
  const publications = () => database.query('SELECT FROM millrace.publication')
  await expect.poll(async () => (await publications()).length, { timeout: 20_000 }).toBe(count)
}

/** Publications committed from now on are not finished: finishing waits for the lock that this takes. */
export const holdPublications = async (database: TestDatabase): Promise<void> => {
  await database.query(`CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO millrace.table_lock (workspace, name, call_id, held_ms, held_until)
      VALUES (NEW.workspace, NEW.staging_database, 'the test', 3600000, millrace.clock(NULL) + 3600000);
      RETURN NEW;
    END $$`)
  await database.query('CREATE TRIGGER hold AFTER INSERT ON millrace.publication FOR EACH ROW EXECUTE FUNCTION hold()')
}
export const letPublicationsGo = async (database: TestDatabase): Promise<void> => {
  await database.query('DROP TRIGGER hold ON millrace.publication')
  await database.query("DELETE FROM millrace.table_lock WHERE call_id = 'the test'")
}

/** As if a lease had passed since a worker was last seen: its jobs may be rescued, and its tables taken over. */
export const letLeasesRunOut = async (database: TestDatabase): Promise<void> => {
  await database.query('UPDATE millrace.live SET lease_until = 0 WHERE lease_until IS NOT NULL')
  await database.query('UPDATE millrace.worker SET seen_at = 0')
}
