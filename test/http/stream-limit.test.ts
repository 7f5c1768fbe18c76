import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { startTestServer, type TestServer } from '../server.ts'

const MOST = 4

let server: TestServer
let log: string
beforeAll(async () => {
  server = await startTestServer({ settings: { 'max-streams': String(MOST), 'shutdown-grace': '100ms' } })
  const { body } = await server.call('POST', '/v1/jobs', { command: 'exec sleep 600' })
  log = `/v1/jobs/${body.job_id}/logs`
})
afterAll(() => server?.stop())

/** The status of the answer, and how to close the stream. */
const overSocket = async (path: string, token = server.token) => {
  const socket = new WebSocket(server.url.replace('http', 'ws') + path, {
    headers: { authorization: `Bearer ${token}` },
  })
  const refused = once(socket, 'unexpected-response').then(([, response]) => (response as IncomingMessage).statusCode!)
  const status = await Promise.race([once(socket, 'open').then(() => 101), refused])
  return { status, close: () => socket.terminate() }
}

const asEvents = async (path: string, token = server.token) => {
  const gone = new AbortController()
  const response = await fetch(server.url + path, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: gone.signal,
  })
  return { status: response.status, response, close: () => gone.abort() }
}

test('a workspace has a limited number of streams, whichever they are; others have their own', async () => {
  const open = [
    await overSocket(log),
    await asEvents(log),
    await overSocket('/v1/events'),
    await asEvents('/v1/events'),
  ]
  expect(open.map(({ status }) => status)).toEqual([101, 200, 101, 200])
  const { response } = await asEvents('/v1/events')
  expect(response.headers.get('retry-after')).toBe('5')
  expect(await response.json()).toMatchObject({
    status: 429,
    code: 'too_many_streams',
    detail: `The workspace has ${MOST} open streams; at most ${MOST} are allowed.`,
    hint: expect.stringContaining('MILLRACE_MAX_STREAMS'),
  })
  const refused = [await asEvents(log), await overSocket(log), await overSocket('/v1/events')]
  expect(refused.map(({ status }) => status)).toEqual([429, 429, 429])
  // Everything else is served.
  expect((await server.call('GET', log)).status).toBe(200)
  await server.call('POST', '/v1/workspaces', { name: 'other' })
  const { body } = await server.call('POST', '/v1/tokens', { name: 'other', role: 'admin', workspace: 'other' })
  const theirs = await overSocket('/v1/events', body.token)
  expect(theirs.status).toBe(101)
  for (const { close } of [...open, theirs]) close()
})

test('a stream that ends gives back its place, even if its client keeps the connection', async () => {
  const ended = await server.run({ command: 'echo hi' })
  for (let i = 0; i < 3 * MOST; i++) {
    const { response } = await asEvents(`/v1/jobs/${ended.job_id}/logs`)
    expect(await response.text()).toContain('event: end')
  }
  for (let i = 0; i < 3 * MOST; i++)
    await expect
      .poll(
        async () => {
          const { status, close } = await overSocket(log)
          close()
          return status
        },
        { timeout: 10_000 },
      )
      .toBe(101)
})
