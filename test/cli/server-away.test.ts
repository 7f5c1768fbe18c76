import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Finished, inProcess } from './millrace.ts'

let cwd: string
let server: Server | undefined
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-away-'))
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  rmSync(cwd, { recursive: true })
})

/** Runs a command line against a server that answers as the test wants. */
const run = async (
  args: readonly string[],
  answer: RequestListener,
  onSocket?: (socket: WebSocket) => void,
): Promise<Finished> => {
  server = createServer(answer).listen(0, '127.0.0.1')
  if (onSocket) new WebSocketServer({ server }).on('connection', onSocket)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return inProcess(args, { cwd, environment: { MILLRACE_URL: `http://127.0.0.1:${port}`, MILLRACE_TOKEN: 'x' } })
}

const running = { job_id: 'j', kind: 'query', status: 'running', finished_at: null, progress: null, error: null }
const ended = { ...running, status: 'completed', finished_at: '2026-11-21T00:00:00.000Z', statistics: { row_count: 1 } }

test.each([
  ['a list', ['jobs'], '{"jobs": ['],
  ['a log', ['logs', 'j'], '{"seq":1,"stream":"stdout","line":"a"}\n{"seq":2'],
])('%s whose connection breaks half-way is reported in words', async (_, args, half) => {
  const { code, stderr } = await run(args, (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write(half, () => response.destroy())
  })
  expect(code).toBe(125)
  expect(stderr).toMatch(/^millrace: no answer from http:\S+: .+\n$/)
})

test('the result of a job whose connection breaks leaves no file', async () => {
  const { code, stderr } = await run(['result', 'j', '-o', 'rows.csv'], (request, response) => {
    if (request.url === '/v1/jobs/j') return response.end(JSON.stringify(ended))
    response.writeHead(200, { 'content-length': 1000 })
    response.write('a,b\n', () => response.destroy())
  })
  expect(code).toBe(125)
  expect(stderr).toMatch(/^millrace: no answer from http:\S+: .+\n$/)
  expect(readdirSync(cwd)).toEqual([])
})

test('a server that is not Millrace is reported as such', async () => {
  const { code, stderr } = await run(['jobs'], (_request, response) => response.end('<html>It works!</html>'))
  expect(code).toBe(125)
  expect(stderr).toMatch(/answered with something other than JSON\nIs there a Millrace server at this address\?\n$/)
})

test.each([
  ['a query', ['query', 'SELECT 1'], 'millrace: connection lost; connecting again\n'],
  ['job --wait', ['job', 'j', '--wait'], ''],
])('%s survives a restart of the server', async (_, args, said) => {
  let asked = 0
  const { code, stderr } = await run(args, (request, response) => {
    if (request.url === '/v1/jobs/j/result') return response.end('{"1":1}\n')
    if (request.method === 'POST') return response.writeHead(201).end(JSON.stringify({ job_id: 'j', status: 'queued' }))
    asked += 1
    if (asked === 2) return response.writeHead(503).end()
    response.end(JSON.stringify(asked < 4 ? { ...running, spec: {} } : { ...ended, spec: {} }))
  })
  expect({ code, asked, stderr }).toEqual({ code: 0, asked: 4, stderr: said })
})

test('Ctrl-C during a query whose server is away prints how to see the query again', async () => {
  let watched = false
  const ended = run(['query', 'SELECT 1'], (request, response) => {
    if (request.method === 'POST') return response.writeHead(201).end(JSON.stringify({ job_id: 'j', status: 'queued' }))
    watched = true
    response.writeHead(503).end()
  })
  await expect.poll(() => watched).toBe(true)
  // Signals within 150 ms count as one press of the keys.
  const presses = setInterval(() => process.emit('SIGINT'), 200)
  const { code, stderr } = await ended
  clearInterval(presses)
  expect(code).toBe(130)
  expect(stderr).toMatch(/millrace: the job may go on; see it with: millrace job j\n$/)
})

test('run exits with the code of a job at whose end the server restarts', async () => {
  let asked = 0
  const failed = { ...ended, status: 'failed', status_reason: 'exit_code', exit_code: 3 }
  const { code, stderr } = await run(
    ['run', '--', 'exit 3'],
    (request, response) => {
      if (request.method === 'POST') return response.writeHead(201).end(JSON.stringify({ job_id: 'j' }))
      asked += 1
      if (asked === 1) return response.writeHead(503).end()
      response.end(JSON.stringify(failed))
    },
    socket => {
      socket.send(JSON.stringify({ event: 'end', status: 'failed' }))
      socket.close(1000)
    },
  )
  expect({ code, asked, stderr }).toEqual({
    code: 3,
    asked: 2,
    stderr: 'millrace: connection lost; connecting again\n',
  })
})

test.each([
  ['a query', ['query', 'SELECT 1']],
  ['a command', ['run', '--', 'sleep 60']],
])('%s whose token expires prints how to see the job again', async (_, args) => {
  const { code, stderr } = await run(args, (request, response) => {
    if (request.method === 'POST') return response.writeHead(201).end(JSON.stringify({ job_id: 'j' }))
    response.writeHead(401).end(JSON.stringify({ code: 'unauthenticated', detail: 'The token has expired.' }))
  })
  expect(code).toBe(125)
  expect(stderr).toMatch(
    /^millrace: the job may go on; see it with: millrace job j\nmillrace: The token has expired\. \(unauthenticated\)\n/,
  )
})
