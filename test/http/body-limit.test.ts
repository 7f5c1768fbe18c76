import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

/** The maximum of one body; a workspace has room for sixteen. */
const LARGEST = 64 * 1024
const PATIENTLY = { timeout: 20_000 }

let server: TestServer
let elsewhere: string
beforeAll(async () => {
  server = await startTestServer({ settings: { 'max-body-bytes': String(LARGEST) } })
  await server.call('POST', '/v1/workspaces', { name: 'elsewhere' })
  elsewhere = (await server.call('POST', '/v1/tokens', { name: 'e', role: 'operator', workspace: 'elsewhere' })).body
    .token
})
afterAll(() => server?.stop())

/** Starts a request and sends `bytes` of its incomplete body. */
const begin = async (header: string, bytes: string): Promise<Socket> => {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\nContent-Type: application/json`
  socket.write(`${head}\r\n${header}\r\n\r\n${bytes}`)
  await once(socket, 'connect')
  return socket
}

const submit = async (token = server.token): Promise<number> => {
  const authorization = `Bearer ${token}`
  return (await server.call('POST', '/v1/jobs', { command: 'true' }, { authorization })).status
}

/** A chunk of 32 KiB, and no final chunk. */
const CHUNK = `8000\r\n${' '.repeat(0x8000)}\r\n`

test.each([
  ['declare', `Content-Length: ${LARGEST / 2}`, '{'],
  ['send in chunks', 'Transfer-Encoding: chunked', CHUNK],
])(
  'bodies that %s more than the memory limit block only bodies of their own workspace, and only while they last',
  async (_, header, bytes) => {
    const sockets = await Promise.all(Array.from({ length: 30 }, () => begin(header, bytes)))
    // One by one: of several at once each may take part of the remaining room, and all be refused. And each before the next
    // submit, which needs room as well.
    const beginAndSubmit = async () => {
      sockets.push(await begin(header, bytes))
      await server.call('GET', '/v1/jobs?limit=1')
      return submit()
    }
    await expect.poll(beginAndSubmit, PATIENTLY).toBe(503)
    expect(await submit(elsewhere)).toBe(201)
    expect((await server.call('GET', '/v1/jobs')).status).toBe(200)
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => submit(), PATIENTLY).toBe(201)
  },
)

test('a body that exceeds the limit while it arrives has its connection closed', async () => {
  await Promise.all(Array.from({ length: 31 }, () => begin('Transfer-Encoding: chunked', CHUNK)))
  await expect
    .poll(async () => {
      const socket = await begin('Transfer-Encoding: chunked', `${CHUNK}${CHUNK.slice(0, -100)}`)
      const closed = new Promise(resolve => socket.once('close', () => resolve('closed')))
      return Promise.race([closed, new Promise(resolve => setTimeout(resolve, 300))])
    }, PATIENTLY)
    .toBe('closed')
})

test('an answered request frees the memory of its body', async () => {
  const body = { command: 'true', stdin: 'x'.repeat(LARGEST - 1000) }
  await expect.poll(() => submit(), PATIENTLY).toBe(201)
  for (let at = 0; at < 40; at++) expect((await server.call('POST', '/v1/jobs', body)).status).toBe(201)
  expect((await server.call('POST', '/v1/jobs', { ...body, stdin: 'x'.repeat(2 * LARGEST) })).status).toBe(413)
  expect(await submit()).toBe(201)
})
