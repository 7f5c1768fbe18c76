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

test('with the setting deleted, as the message says, a server runs with another key', async () => {
  rmSync(join(dataDir, 'secret-key'))
  expect(await started()).toMatchObject({ status: 503 })
  const database = new DatabaseSync(join(dataDir, 'millrace.db'))
  database.exec(`DELETE FROM setting WHERE name = 'secret_key_proof'`)
  database.close()
  expect(await started()).toEqual(READY)
})
