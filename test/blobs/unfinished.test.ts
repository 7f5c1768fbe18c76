import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase } from '../test-database.ts'

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-unfinished-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Sends half of an artifact; `rest` sends the other half and returns the answer. */
const beginUpload = async (server: TestServer) => {
  const { job_id } = await server.run({ command: 'true' })
  const call = request(`${server.url}/v1/jobs/${job_id}/artifacts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'multipart/form-data; boundary=b' },
  })
  const answer = Promise.withResolvers<import('node:http').IncomingMessage>()
  call.on('response', answer.resolve).on('error', answer.reject)
  call.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n')
  call.write(Buffer.alloc(600_000))
  return {
    rest: async () => {
      call.end(Buffer.concat([Buffer.alloc(600_000), Buffer.from('\r\n--b--\r\n')]))
      const response = await answer.promise
      return { status: response.statusCode, body: JSON.parse((await buffer(response)).toString()) }
    },
  }
}

test('unfinished uploads of a killed server are gone after its restart, and those of others in the folder stay', async () => {
  const [shared, firstDir, otherDir] = [newDirectory(), newDirectory(), newDirectory()]
  const unfinished = () => readdirSync(join(shared, 'tmp')).sort()
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const settings = {
    'blob-url': `file://${shared}`,
    'database-url': database.url,
    'secret-key': 'shared by both',
    'admin-token': 'the admin token of both servers',
  }
  const first = await startTestServer({ dataDir: firstDir, settings })
  const mark = readFileSync(join(firstDir, 'blob-writer'), 'utf8')
  await first.stop()
  // As after kill -9: the lock of the data directory is free, and the unfinished write is there.
  writeFileSync(join(shared, 'tmp', `${mark}.${'0'.repeat(32)}`), 'half of it')

  const other = await startTestServer({ dataDir: otherDir, settings })
  onTestFinished(other.stop)
  const upload = await beginUpload(other)
  await expect.poll(unfinished).toHaveLength(2)

  const again = await startTestServer({ dataDir: firstDir, settings })
  onTestFinished(again.stop)
  const [left, ...more] = unfinished()
  expect([left?.startsWith(`${readFileSync(join(otherDir, 'blob-writer'), 'utf8')}.`), more]).toEqual([true, []])
  expect(readFileSync(join(firstDir, 'blob-writer'), 'utf8')).not.toBe(mark)
  const { status, body } = await upload.rest()
  expect([status, body.artifacts[0].size]).toEqual([201, 1_200_000])
  expect(unfinished()).toEqual([])
})
