import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { 'shutdown-grace': '100ms' } })
})
afterAll(() => server?.stop())

type Made = { readonly token: string; readonly token_id: string }

const makeToken = async (expiresAt: string | null = null): Promise<Made> =>
  (await server.call('POST', '/v1/tokens', { name: 'streams', role: 'reader', expires_at: expiresAt })).body

/** Both forms of a stream, open; the promises resolve when the streams have been cut. */
const openStreams = async (path: string, token: string) => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}?token=${token}`)
  const closed = once(socket, 'close')
  await once(socket, 'open')
  const response = await fetch(server.url + path, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
  })
  expect(response.status).toBe(200)
  // It is cut, and not ended.
  const ended = response.text().then(
    () => 'ended',
    () => 'cut',
  )
  return { socket, cut: Promise.all([closed, ended]).then(([, how]) => how) }
}

describe('streams are cut', () => {
  test('when their token expires', async () => {
    const expires = Date.now() + 1500
    const { token } = await makeToken(new Date(expires).toISOString())
    const streams = await openStreams('/v1/events', token)
    expect(await streams.cut).toBe('cut')
    expect(Date.now()).toBeGreaterThanOrEqual(expires)
  })

  test('when their token is deleted through another server', async () => {
    const { token, token_id: tokenId } = await makeToken()
    const streams = await openStreams('/v1/events', token)
    expect(await server.store.deleteToken({ workspace: 'default', tokenId })).toBe(true)
    expect(await streams.cut).toBe('cut')
  })

  test('when the job of their token has ended, even if what they follow continues', async () => {
    const { body: parent } = await server.call('POST', '/v1/jobs', { command: 'exec sleep 600' })
    const path = `/v1/jobs/${parent.job_id}`
    const isRunning = async () => (await server.call('GET', path)).body.status
    await expect.poll(isRunning, { timeout: 20_000 }).toBe('running')
    const token = server.engine.jobTokens.issue(parent.job_id, 1)
    const headers = { authorization: `Bearer ${token}` }
    const { body: child } = await server.call('POST', '/v1/jobs', { command: 'exec sleep 600' }, headers)
    const streams = await openStreams(`/v1/jobs/${child.job_id}/logs`, token)
    await server.call('POST', `${path}/cancel`, { timeout_seconds: 0 })
    expect(await streams.cut).toBe('cut')
    expect((await server.call('GET', `/v1/jobs/${child.job_id}`)).body.finished_at).toBeNull()
    await server.call('POST', `/v1/jobs/${child.job_id}/cancel`, { timeout_seconds: 0 })
  })
})

test('a stream is cut with its token even if another is queued behind it on the connection', async () => {
  const [dropped, kept] = [await makeToken(), await makeToken()]
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  const closed = once(socket, 'close')
  const ask = ({ token }: Made) =>
    `GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\naccept: text/event-stream\r\n\r\n`
  socket.write(ask(dropped) + ask(kept))
  await once(socket, 'data')
  await server.call('DELETE', `/v1/tokens/${dropped.token_id}`)
  await closed
  await server.call('DELETE', `/v1/tokens/${kept.token_id}`)
})

test('a connection outlives the token of a stream that has ended on it', async () => {
  const { job_id: jobId } = await server.run({ command: 'echo hi' })
  const ended = await makeToken()
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  let heard = ''
  socket.on('data', text => (heard += text))
  const ask = (path: string, token: string, accept: string) =>
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\naccept: ${accept}\r\n\r\n`)
  ask(`/v1/jobs/${jobId}/logs`, ended.token, 'text/event-stream')
  await expect.poll(() => heard, { timeout: 10_000 }).toMatch(/\r\n0\r\n\r\n$/)
  const watched = await makeToken()
  const { cut } = await openStreams('/v1/events', watched.token)
  for (const { token_id: id } of [ended, watched]) await server.call('DELETE', `/v1/tokens/${id}`)
  // Tokens are checked once a second, all at the same time.
  await cut
  ask('/v1/jobs?limit=1', server.token, 'application/json')
  await expect.poll(() => heard, { timeout: 10_000 }).toMatch(/"jobs":\[/)
  socket.destroy()
})

test('streams of other tokens continue', async () => {
  const [kept, dropped] = [await makeToken(), await makeToken()]
  const streams = await openStreams('/v1/events', kept.token)
  const others = await openStreams('/v1/events', dropped.token)
  await server.call('DELETE', `/v1/tokens/${dropped.token_id}`)
  expect(await others.cut).toBe('cut')
  const heard = once(streams.socket, 'message')
  await server.call('POST', '/v1/jobs', { command: 'true' })
  expect(JSON.parse(String((await heard)[0]))).toMatchObject({ type: expect.stringMatching(/^job\./) })
  streams.socket.terminate()
  await server.call('DELETE', `/v1/tokens/${kept.token_id}`)
})
