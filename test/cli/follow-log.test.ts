import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { followLog } from '../../src/cli/client/follow-log.ts'
import type { LogLineAnswer } from '../../src/cli/client/job-answer.ts'

const line = (seq: number): LogLineAnswer => ({
  seq,
  attempt: 1,
  stream: 'stdout',
  line: `line ${seq}`,
  timestamp: '2026-11-21T00:00:00.000Z',
})
const lines = (first: number, last: number): readonly LogLineAnswer[] =>
  Array.from({ length: last - first + 1 }, (_, index) => line(first + index))

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A log that is served as the test wants, connection by connection. */
const serve = async (onConnection: (socket: WebSocket, from: number, nth: number) => void) => {
  const http = createServer()
  servers.push(http)
  const sockets = new WebSocketServer({ server: http })
  let connections = 0
  sockets.on('connection', (socket, request) => {
    const url = new URL(request.url!, 'http://localhost')
    expect(url.pathname).toBe('/v1/jobs/the-job/logs')
    expect(request.headers.authorization).toBe('Bearer secret')
    connections += 1
    onConnection(socket, Number(url.searchParams.get('from')), connections)
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, token: 'secret' }
}

const send = (socket: WebSocket, message: unknown): void => socket.send(JSON.stringify(message))

const follow = async (
  server: { url: string; token: string },
  options: { signal?: AbortSignal; from?: number; clock?: { monotonic(): number } } = {},
) => {
  const seen: number[] = []
  let losses = 0
  const status = await followLog({
    server,
    jobId: 'the-job',
    from: options.from ?? 1,
    signal: options.signal ?? new AbortController().signal,
    ...(options.clock && { clock: options.clock }),
    onLines: async batch => {
      seen.push(...batch.map(one => one.seq))
    },
    onLost: () => {
      losses += 1
    },
  })
  return { status, seen, losses }
}

test('a follower gets all lines and how the job ended', async () => {
  const server = await serve(socket => {
    send(socket, lines(1, 3))
    send(socket, lines(4, 5))
    send(socket, { event: 'end', status: 'completed' })
    socket.close(1000)
  })
  expect(await follow(server)).toEqual({ status: 'completed', seen: [1, 2, 3, 4, 5], losses: 0 })
})

test('a follower whose connection breaks continues at the next line: none missing, none twice', async () => {
  const server = await serve((socket, from, nth) => {
    if (nth < 4) {
      send(socket, lines(from, from + 2))
      // Only once the client has read them: what it has not read is to come again.
      socket.once('pong', () => socket.terminate())
      socket.ping()
      return
    }
    // Repeats two lines, as a server that counts differently may.
    send(socket, lines(Math.max(1, from - 2), 12))
    send(socket, { event: 'end', status: 'failed' })
    socket.close(1000)
  })
  const { status, seen, losses } = await follow(server)
  expect(status).toBe('failed')
  expect(seen).toEqual(lines(1, 12).map(one => one.seq))
  expect(losses).toBeGreaterThan(0)
})

test('a normal close without an end event is a lost connection, not the end of the job', async () => {
  const server = await serve((socket, _from, nth) => {
    if (nth === 1) return socket.close(1000)
    send(socket, { event: 'end', status: 'completed' })
    socket.close(1000)
  })
  expect(await follow(server)).toEqual({ status: 'completed', seen: [], losses: 1 })
})

test('a job that prints nothing may be followed for hours, though its connection is lost now and then', async () => {
  let now = 0
  const server = await serve((socket, _from, nth) => {
    if (nth === 4) send(socket, { event: 'end', status: 'completed' })
    else {
      // As the server does every 15 seconds.
      socket.ping()
      socket.once('pong', () => {
        now += 3_600_000
        socket.terminate()
      })
    }
  })
  const { status } = await follow(server, { clock: { monotonic: () => now } })
  expect(status).toBe('completed')
})

test('a follower gives up after minutes in which every connection was closed at once', async () => {
  let now = 0
  const server = await serve(socket => {
    now += 100_000
    socket.close(1011)
  })
  await expect(follow(server, { clock: { monotonic: () => now } })).rejects.toThrow('lost the server')
})

test('a follower that stops gets no end event and closes its connection', async () => {
  const leave = new AbortController()
  const closed = Promise.withResolvers<void>()
  const server = await serve(socket => {
    socket.once('close', () => closed.resolve())
    send(socket, lines(1, 1))
    leave.abort()
  })
  expect((await follow(server, { signal: leave.signal })).status).toBe(null)
  await closed.promise
})

test('a refusal is reported in words and not retried', async () => {
  let requests = 0
  const http = createServer()
  servers.push(http)
  http.on('upgrade', (_request, socket) => {
    requests += 1
    const body = JSON.stringify({ code: 'not_found', detail: 'There is no job the-job.', hint: 'Check the id.' })
    socket.end(`HTTP/1.1 404 Not Found\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const server = { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, token: 'secret' }
  await expect(follow(server)).rejects.toMatchObject({
    message: 'There is no job the-job. (not_found)',
    code: 'not_found',
    hint: 'Check the id.',
  })
  expect(requests).toBe(1)
})

const tooMany = JSON.stringify({ code: 'too_many_streams', detail: 'The workspace has 500 open streams.' })

test.each([
  ['a server that is starting', '503 Service Unavailable', ''],
  ['a server that has no place for another stream', '429 Too Many Requests', tooMany],
])('%s is asked again', async (_, status, body) => {
  let requests = 0
  const http = createServer()
  servers.push(http)
  const sockets = new WebSocketServer({ noServer: true })
  http.on('upgrade', (request, socket, head) => {
    requests += 1
    if (requests === 1)
      socket.end(`HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
    else
      sockets.handleUpgrade(request, socket, head, client => {
        send(client, { event: 'end', status: 'completed' })
        client.close(1000)
      })
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const server = { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, token: 'secret' }
  expect((await follow(server)).status).toBe('completed')
  expect(requests).toBe(2)
})
