import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startTestServer } from '../server.ts'
import { withTwoAddresses } from '../two-addresses.ts'

test('while a server stops, its running jobs can still call the API, and nobody else can change anything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-stopping-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const server = await startTestServer()
  const command =
    'echo begun; while [ ! -e go ]; do sleep 0.05; done; echo made > made.txt; curl -sS -f -F file=@made.txt -H "Authorization: Bearer $MILLRACE_TOKEN" "$MILLRACE_URL/v1/jobs/$MILLRACE_JOB_ID/artifacts" >&2'
  const { body: job } = await server.call('POST', '/v1/jobs', { command, working_dir: folder })
  const path = `/v1/jobs/${job.job_id}`
  const lines = async () => (await server.call('GET', `${path}/logs`)).body.lines.length
  await expect.poll(lines, { timeout: 20_000 }).toBe(1)
  const stopped = server.stop()
  const refused = await server.call('POST', '/v1/jobs', { command: 'true' })
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '5'])
  expect((await server.call('POST', `${path}/cancel`)).status).toBe(503)
  const { status, body: ready } = await server.call('GET', '/readyz')
  expect([status, ready.parts.at(-1)]).toEqual([
    503,
    expect.objectContaining({ part: 'server', status: 'unavailable' }),
  ])
  expect((await server.call('GET', '/healthz')).status).toBe(200)
  const token = server.engine.jobTokens.issue(job.job_id, 1)
  const inside = { authorization: `Bearer ${token}` }
  expect((await server.call('POST', `${path}/progress`, { percentage: 50 }, inside)).status).toBe(204)
  const ended = server.call('GET', `${path}?wait=30`)
  expect((await server.call('POST', `${path}/progress`, { message: 'nearly' }, inside)).status).toBe(204)
  writeFileSync(join(folder, 'go'), '')
  expect((await ended).body).toMatchObject({ status: 'completed' })
  await stopped
  await expect(server.call('GET', '/healthz')).rejects.toThrow()
})

test('an unfinished request to the second address of a server does not keep it from stopping', async () => {
  const server = await withTwoAddresses(() => startTestServer({ settings: { host: 'localhost' } }))
  const socket = connect(Number(new URL(server.url).port), '127.0.0.2')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {}).resume()
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: ')
  await once(socket, 'data')
  await server.stop()
  await expect.poll(() => socket.closed, { timeout: 20_000 }).toBe(true)
})
