import { afterAll, beforeAll, expect, test } from 'vitest'
import { importDefinition } from '../../src/executors/import/definition.ts'
import { queryDefinition } from '../../src/executors/query/definition.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'

let database: TestDatabase
let server: TestServer
beforeAll(async () => {
  database = await createTestDatabase()
  const settings = { 'database-url': database.url }
  // No worker runs them.
  server = await startTestServer({ definitions: [importDefinition, queryDefinition], executors: [], settings })
  expect((await server.call('POST', '/v1/datasources', { name: 'rows', schema: 'n UInt8' })).status).toBe(201)
  // As if the server is killed when a job has been committed: an answer stored only after that is lost.
  await database.query(`
    CREATE FUNCTION lose_answer() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF new.body IS NOT NULL THEN RAISE 'lost'; END IF;
        RETURN new;
      END $$;
    CREATE TRIGGER lose_answer BEFORE UPDATE ON millrace.idempotency FOR EACH ROW EXECUTE FUNCTION lose_answer()`)
})
afterAll(async () => {
  await server?.stop()
  await database?.drop()
})

const post = async (path: string, body: string | null, headers: Record<string, string> = {}) => {
  const authorization = `Bearer ${server.token}`
  const answer = await fetch(server.url + path, { method: 'POST', headers: { authorization, ...headers }, body })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}
const jobs = async (): Promise<number> => (await server.call('GET', '/v1/jobs?count=true&limit=1')).body.count

test('an upload with an Idempotency-Key makes one job even if its answer was not stored', async () => {
  const before = await jobs()
  const headers = { 'idempotency-key': 'one', 'content-type': 'text/csv' }
  const first = await post('/v1/datasources/rows/import', 'n\n1\n', headers)
  expect(first).toMatchObject({ status: 201, body: { status: 'queued', content: { bytes: 4 } } })
  expect(await post('/v1/datasources/rows/import', 'n\n1\n', headers)).toEqual(first)
  expect((await post('/v1/datasources/rows/import', 'n\n2\n', headers)).status).toBe(409)
  expect(await jobs()).toBe(before + 1)
})

test('a job started through /v0 with an Idempotency-Key is made once even if its answer was not stored', async () => {
  const before = await jobs()
  const path = '/v0/datasources?name=rows&mode=append&url=https%3A%2F%2Fexample.com%2Frows.csv'
  const first = await post(path, null, { 'idempotency-key': 'two' })
  expect(first.status, JSON.stringify(first.body)).toBe(200)
  expect(await post(path, null, { 'idempotency-key': 'two' })).toMatchObject({ body: { job_id: first.body.job_id } })
  expect(await jobs()).toBe(before + 1)
})
