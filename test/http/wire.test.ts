import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { startImpatient } from './impatient-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

/** What comes back over a bare connection until it is closed. */
const raw = async (text: string): Promise<string> => {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.setTimeout(20_000, () => socket.destroy(new Error('the server said nothing')))
  socket.end(text)
  let answer = ''
  socket.on('data', data => {
    answer += data.toString('latin1')
  })
  await once(socket, 'close')
  return answer
}

describe('on the wire', () => {
  const head = (rest: string): string =>
    `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n${rest}`
  const json = 'Content-Type: application/json\r\n'

  test.each([
    ['two lengths', () => head(`${json}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`)],
    ['a length and chunks', () => head(`${json}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)],
    ['an invalid length', () => head(`${json}Content-Length: x\r\n\r\n{}`)],
    ['an invalid chunk', () => head(`${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n`)],
    ['a header of 100 kB', () => head(`X: ${'x'.repeat(100_000)}\r\n\r\n`)],
    ['a header with a NUL', () => head('X: a\u0000b\r\n\r\n')],
    ['another protocol', () => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000'],
    ['a path of 100 kB', () => `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ])('%s are refused with a readable answer', async (_, make) => {
    const answer = await raw(make())
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(answer).toContain('application/problem+json')
  })

  test('a body that ends too early leaves nothing', async () => {
    const before = (await server.call('GET', '/v1/jobs?count=true')).body.count
    await raw(head(`${json}Content-Length: 100\r\n\r\n{"command":"true"}`))
    expect((await server.call('GET', '/v1/jobs?count=true')).body.count).toBe(before)
  })

  test('pipelined requests are answered in order', async () => {
    const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
    const answer = await raw(get('/healthz') + get('/nothing') + get('/healthz'))
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200'])
  })

  test('a reasonable number of pipelined requests is answered, beyond it the connection is closed', async () => {
    const get = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
    expect((await raw(get.repeat(32))).match(/HTTP\/1\.1 200/g)).toHaveLength(32)
    expect(await raw(get.repeat(33)).catch(error => error.code)).toMatch(/^(|ECONNRESET)$/)
  })
})

test.each(['POST /v1/jobs', 'GET /healthz', 'POST /nowhere'])(
  'an endless body without a token is not read on: %s',
  async route => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.on('error', () => {}) // it may find that out by writing
    socket.write(`${route} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`)
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 \d{3} /)
    await closed
  },
)

test('a client that stops half-way through its body is disconnected', async () => {
  const { app, port } = await startImpatient(server, { idleConnectionMs: 300 })
  const socket = connect(port, '127.0.0.1')
  const closed = once(socket, 'close')
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n`
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"command":`)
  socket.resume()
  await closed
  await app.close()
})

test('a client that stops reading its download is disconnected', async () => {
  const job = await server.run({ command: 'head -c 30000000 /dev/zero > zero.bin', artifacts: ['zero.bin'] })
  const [artifact] = (await server.call('GET', `/v1/jobs/${job.job_id}/artifacts`)).body.artifacts
  const { app, port } = await startImpatient(server, { idleConnectionMs: 300 })
  const path = `/v1/jobs/${job.job_id}/artifacts/${artifact.artifact_id}`
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n\r\n`)
  const connections = () => promisify(app.server.getConnections.bind(app.server))()
  await expect.poll(connections).toBe(1)
  await expect.poll(connections, { timeout: 10_000 }).toBe(0)
  socket.destroy()
  await app.close()
})
