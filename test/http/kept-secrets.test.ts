import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { 'allow-private-addresses': '127.0.0.0/8' } })
})
afterAll(() => server?.stop())

/** A server that keeps the headers it is sent. */
const listen = async () => {
  const heard: IncomingHttpHeaders[] = []
  const listener = createServer((request, response) => {
    heard.push(request.headers)
    request.resume()
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return { heard, url: `http://127.0.0.1:${port}/`, close: () => listener.close() }
}

test('changing a workflow cannot send its secrets to another server', async () => {
  const [own, evil] = [await listen(), await listen()]
  const headers = { Authorization: 'Bearer the-kept-secret' }
  await server.call('POST', '/v1/workflows', {
    name: 'beat',
    payload: [{ http: { url: own.url, headers } }],
    sinks: [{ type: 'webhook', url: own.url, headers }],
  })
  const made = await server.call('POST', '/v1/tokens', {
    name: 'attacker',
    scopes: ['workflows:read', 'workflows:write', 'jobs:read', 'jobs:run:http'],
  })
  const attack = (method: string, path: string, body?: unknown) =>
    server.call(method, path, body, { authorization: `Bearer ${made.body.token}` })
  const { body: shown } = await attack('GET', '/v1/workflows/beat')
  expect(JSON.stringify(shown)).not.toContain('the-kept-secret')

  const [item] = shown.payload
  const [sink] = shown.sinks
  for (const [change, path] of [
    [{ payload: [{ http: { ...item.http, url: evil.url } }] }, 'payload.0.http.headers.Authorization'],
    [{ sinks: [{ ...sink, url: evil.url }] }, 'sinks.0.headers.Authorization'],
    [
      { sinks: [], payload: [{ ...item, sinks: [{ ...sink, url: evil.url }] }] },
      'payload.0.sinks.0.headers.Authorization',
    ],
  ] as const) {
    const { status, body } = await attack('PUT', '/v1/workflows/beat', { ...shown, ...change })
    expect([status, body.errors.map((error: { path: string }) => error.path)]).toEqual([422, [path]])
  }
  // Elsewhere on the same server, and back to where it was.
  const request = { ...item.http, url: `${own.url}other` }
  expect((await attack('PUT', '/v1/workflows/beat', { ...shown, payload: [{ http: request }] })).status).toBe(200)
  const { body: run } = await attack('POST', '/v1/workflows/beat/trigger')
  await expect
    .poll(async () => (await attack('GET', `/v1/runs/${run.run_id}`)).body.status, { timeout: 20_000 })
    .toBe('completed')
  await expect.poll(() => own.heard.length, { timeout: 20_000 }).toBe(2)
  expect(own.heard.map(({ authorization }) => authorization)).toEqual([headers.Authorization, headers.Authorization])
  expect(evil.heard).toEqual([])
  own.close()
  evil.close()
})
