import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { WORKSPACE } from '../../../test/conformance/suite/scene.ts'
import { eventually, LogScene, numberedLines, openStore } from '../../../test/logs/log-scene.ts'
import { streamEvents } from './event-stream.ts'
import { followOverSse } from './log-events.ts'
import { followOverWebSocket } from './log-socket.ts'

const PING_MS = 15_000
/** For tests of what happens at pings. */
const SOON_MS = 100

let opened: Awaited<ReturnType<typeof openStore>>
let scene: LogScene
let server: Server
let sockets: WebSocketServer
/** What the server does with one connection; each test sets its own. */
let serve: {
  socket?: (socket: WebSocket) => Promise<void>
  answer?: (request: IncomingMessage, response: ServerResponse) => Promise<void>
}
let served: Promise<void>[]

beforeAll(async () => {
  opened = await openStore()
})
afterAll(() => opened.close())
beforeEach(async () => {
  scene = await LogScene.open({ store: opened.store })
  serve = {}
  served = []
  server = createServer((incoming, response) => served.push(serve.answer!(incoming, response)))
  sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 0 } })
  sockets.on('connection', socket => served.push(serve.socket!(socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  for (const socket of sockets.clients) socket.terminate()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  await Promise.all(served)
  await scene.close()
})

const port = () => (server.address() as AddressInfo).port

const connectSocket = (options: { deflate?: boolean } = {}) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port()}/`, { perMessageDeflate: options.deflate ?? false })
  const messages: string[] = []
  socket.on('message', data => messages.push(data.toString()))
  const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }))
  return { socket, messages, closed }
}

/** The raw text of an event stream, up to its end. */
const readEvents = async (
  headers: Record<string, string> = {},
): Promise<{ text: string; response: IncomingMessage }> => {
  const asking = request({ port: port(), host: '127.0.0.1', headers }).end()
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  let text = ''
  for await (const piece of response.setEncoding('utf8')) text += piece
  return { text, response }
}

const finishedLog = async (text: string): Promise<string> => {
  const job = await scene.start()
  const log = scene.openLog(job)
  await log.write('stdout', Buffer.from(text))
  await scene.end(job, log)
  return job.id
}

const following = (jobId: string, overrides: object = {}) => ({
  logs: scene.logs,
  workspace: WORKSPACE,
  jobId,
  fromSeq: 1,
  batch: false,
  pingMs: PING_MS,
  ...overrides,
})

describe('a log over WebSocket', () => {
  test.each([false, true])(
    'sends an object per message, then how the job ended, and closes normally (compression: %s)',
    async deflate => {
      const texts = [
        'plain',
        'ümläut 😀',
        '"quoted" \\ \u001b[1m',
        '',
        'x'.repeat(200),
        'y'.repeat(65_000),
        'é'.repeat(40_000),
      ]
      const jobId = await finishedLog(`${texts.join('\n')}\n`)
      serve.socket = socket => followOverWebSocket({ socket, ...following(jobId) })
      const { messages, closed } = connectSocket({ deflate })
      expect(await closed).toEqual({ code: 1000, reason: '' })
      const objects = messages.map(message => JSON.parse(message))
      expect(objects.at(-1)).toEqual({ event: 'end', status: 'completed' })
      const lines = objects.slice(0, -1)
      expect(lines.map(line => line.seq)).toEqual(lines.map((_, i) => i + 1))
      expect(lines[1]).toEqual({
        seq: 2,
        attempt: 1,
        stream: 'stdout',
        line: 'ümläut 😀',
        timestamp: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      })
      expect(lines.slice(0, 6).map(line => line.line)).toEqual(texts.slice(0, 6))
      expect(lines[6].continues).toBe(true)
      expect(lines[6].line + lines[7].line).toBe(texts[6])
    },
  )

  test('sends arrays of at most 1,000 when asked for batches', async () => {
    const jobId = await finishedLog(numberedLines(2500))
    serve.socket = socket => followOverWebSocket({ socket, ...following(jobId, { batch: true, fromSeq: 100 }) })
    const { messages, closed } = connectSocket()
    await closed
    const arrays = messages.slice(0, -1).map(message => JSON.parse(message))
    expect(Math.max(...arrays.map(lines => lines.length))).toBeLessThanOrEqual(1000)
    expect(arrays.flat().map(line => line.seq)).toEqual(Array.from({ length: 2401 }, (_, i) => 100 + i))
  })

  test('continues live, with pings in between', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    serve.socket = socket => followOverWebSocket({ socket, ...following(job.id, { pingMs: SOON_MS }) })
    const { socket, messages, closed } = connectSocket()
    let pings = 0
    socket.on('ping', () => pings++)
    await eventually(() => pings >= 5)
    for (let i = 1; i <= 3; i++) {
      await log.write('stdout', Buffer.from(`line ${i}\n`))
      await eventually(() => messages.length === i)
    }
    await scene.end(job, log)
    expect((await closed).code).toBe(1000)
    expect(messages).toHaveLength(4)
  })

  test('sends everything to many followers of one job', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    serve.socket = socket => followOverWebSocket({ socket, ...following(job.id) })
    const clients = Array.from({ length: 20 }, () => connectSocket())
    for (let i = 0; i < 10; i++) await log.write('stdout', Buffer.from(numberedLines(500, i * 500 + 1)))
    await scene.end(job, log)
    for (const { messages, closed } of clients) {
      await closed
      expect(messages.slice(0, -1).map(message => JSON.parse(message).seq)).toEqual(
        Array.from({ length: 5000 }, (_, i) => i + 1),
      )
    }
  })

  test('drops a client that stops reading without buffering for it', async () => {
    const jobId = await finishedLog(numberedLines(400_000))
    serve.socket = socket => followOverWebSocket({ socket, ...following(jobId, { pingMs: SOON_MS }) })
    const stuck = await rawUpgrade()
    stuck.pause()
    const before = process.memoryUsage().rss
    await eventually(() => served.length === 1)
    await served[0]
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6)
    stuck.destroy()
  })

  test('ends following when its client disconnects', async () => {
    const job = await scene.start()
    serve.socket = socket => followOverWebSocket({ socket, ...following(job.id) })
    const { socket } = connectSocket()
    await once(socket, 'open')
    socket.terminate()
    await eventually(() => served.length === 1)
    await served[0]
  })

  test('reports a job that disappears as a failure', async () => {
    serve.socket = socket =>
      followOverWebSocket({ socket, ...following('01a200b0-0000-7000-8000-000000000000') }).catch(error => {
        expect(error).toMatchObject({ code: 'not_found' })
      })
    expect((await connectSocket().closed).code).toBe(1011)
  })
})

describe('a log as server-sent events', () => {
  test('has the seq as id and ends with the event end', async () => {
    const jobId = await finishedLog('one\ntwo\n')
    serve.answer = (incoming, response) => followOverSse({ request: incoming, response, ...following(jobId) })
    const { text, response } = await readEvents()
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    const events = text.trimEnd().split('\n\n')
    expect(events).toHaveLength(3)
    expect(events[1]).toMatch(/^id: 2\ndata: \{"seq":2,.*"line":"two"\}$/)
    expect(events[2]).toBe('event: end\ndata: {"event":"end","status":"completed"}')
  })

  test('resumes after Last-Event-ID', async () => {
    const jobId = await finishedLog('one\ntwo\nthree\n')
    serve.answer = (incoming, response) => followOverSse({ request: incoming, response, ...following(jobId) })
    const { text } = await readEvents({ 'last-event-id': '2' })
    expect(text.match(/^id: .*$/gm)).toEqual(['id: 3'])
  })

  test('keeps a quiet connection alive with comments', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    serve.answer = (incoming, response) =>
      followOverSse({ request: incoming, response, ...following(job.id, { pingMs: SOON_MS }) })
    const asking = request({ port: port(), host: '127.0.0.1' }).end()
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    let text = ''
    response.setEncoding('utf8').on('data', piece => {
      text += piece
    })
    await eventually(() => (text.match(/^:$/gm) ?? []).length >= 2)
    const ended = once(response, 'end')
    await scene.end(job, log)
    await ended
    expect(text).toContain('event: end')
  })

  test('drops a client that stops reading', async () => {
    const jobId = await finishedLog(numberedLines(400_000))
    serve.answer = (incoming, response) =>
      followOverSse({ request: incoming, response, ...following(jobId, { pingMs: SOON_MS }) })
    const stuck = connect(port(), '127.0.0.1')
    stuck.on('error', () => {})
    stuck.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    stuck.pause()
    await eventually(() => served.length === 1)
    await served[0]
    stuck.destroy()
  })
})

describe('a stream of events', () => {
  const source = () => {
    const listeners = new Set<(event: object) => void>()
    return {
      listeners,
      subscribe: (push: (event: object) => void) => {
        listeners.add(push)
        return () => listeners.delete(push)
      },
      emit: (event: object) => {
        for (const listener of listeners) listener(event)
      },
    }
  }

  test('sends each event as a message, in order, and stops with the client', async () => {
    const { subscribe, emit, listeners } = source()
    serve.socket = socket => streamEvents({ to: { socket }, subscribe, pingMs: PING_MS })
    const { socket, messages } = connectSocket()
    await eventually(() => listeners.size === 1)
    for (let i = 0; i < 100; i++) emit({ id: String(i), type: 'job.running' })
    await eventually(() => messages.length === 100)
    expect(messages.map(message => JSON.parse(message).id)).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
    socket.terminate()
    await eventually(() => listeners.size === 0)
  })

  test('has the ids of events as server-sent events', async () => {
    const { subscribe, emit, listeners } = source()
    serve.answer = (incoming, response) =>
      streamEvents({ to: { request: incoming, response }, subscribe, pingMs: PING_MS })
    const asking = request({ port: port(), host: '127.0.0.1' }).end()
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    await eventually(() => listeners.size === 1)
    emit({ id: 'a-1', type: 'job.queued' })
    const [piece] = await once(response, 'data')
    expect(String(piece)).toBe('id: a-1\ndata: {"id":"a-1","type":"job.queued"}\n\n')
    response.destroy()
    await eventually(() => listeners.size === 0)
  })

  test('closes with a reason for a client that is too slow', async () => {
    const { subscribe, emit, listeners } = source()
    serve.socket = socket => streamEvents({ to: { socket }, subscribe, pingMs: 60_000, maxWaiting: 100 })
    const { socket, closed } = connectSocket()
    await once(socket, 'open')
    await eventually(() => listeners.size === 1)
    socket.pause()
    const large = { id: 'x', filling: 'x'.repeat(100_000) }
    while (listeners.size > 0) {
      emit(large)
      await new Promise(resolve => setImmediate(resolve))
    }
    socket.resume()
    expect(await closed).toEqual({ code: 1013, reason: 'the client reads too slowly' })
  })
})

/** A WebSocket connection from which nothing is ever read. */
const rawUpgrade = async (): Promise<Socket> => {
  const socket = connect(port(), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    'GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await once(socket, 'connect')
  return socket
}
