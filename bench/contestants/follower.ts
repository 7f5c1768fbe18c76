import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** What one client saw of a log, one line a message. */
export type Followed = {
  readonly lines: number
  /** From its first line to its last, seconds. */
  readonly seconds: number
  /** Whether every line came once and in order, and then the end. */
  readonly isWhole: boolean
}

type Watch = { readonly url: string; readonly token: string; readonly jobId: string; readonly clients: number }

/**
 * WebSocket clients that read as fast as they can: a full client library would be the slower side at a million messages
 * a second. Every frame's header and every line's `seq` are read; the rest of a message is skipped.
 */
export const open = async () => {
  let watching: readonly Promise<Followed>[] = []
  return {
    /** Resolves when all clients are connected. */
    async watch(input: Watch): Promise<void> {
      const followers = await Promise.all(Array.from({ length: input.clients }, () => follow(input)))
      watching = followers.map(({ ended }) => ended)
    },
    /** Resolves when all clients have seen the end. */
    results: () => Promise.all(watching),
    close: () => Promise.resolve(),
  }
}

const follow = async ({ url, token, jobId }: Watch): Promise<{ ended: Promise<Followed> }> => {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET /v1/jobs/${jobId}/logs HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  )
  const rest = await readUpgrade(socket)
  return { ended: readLines(socket, rest) }
}

/** Resolves with what came after the head of the answer. */
const readUpgrade = (socket: Socket): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    let head = Buffer.alloc(0)
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.off('data', onData)
      if (head.toString('latin1', 0, 12) === 'HTTP/1.1 101') resolve(head.subarray(end + 4))
      else reject(new Error(head.toString()))
    }
    socket.on('data', onData)
    socket.once('error', reject)
  })

const OPCODE_TEXT = 1
const OPCODE_PING = 9

const readLines = (socket: Socket, first: Buffer): Promise<Followed> => {
  const { promise, resolve, reject } = Promise.withResolvers<Followed>()
  let carry: Buffer = first
  let lines = 0
  let inOrder = true
  let startedAt = 0
  let lastAt = 0
  const onText = (data: Buffer, start: number, end: number): void => {
    if (!isLine(data, start)) {
      const isEnd = data.toString('utf8', start, end).includes('"event"')
      resolve({ lines, seconds: (lastAt - startedAt) / 1000, isWhole: inOrder && isEnd })
      socket.destroy()
      return
    }
    if (startedAt === 0) startedAt = performance.now()
    lines += 1
    if (readSeq(data, start) !== lines) inOrder = false
  }
  const onData = (chunk: Buffer): void => {
    lastAt = performance.now()
    const data = carry.length === 0 ? chunk : Buffer.concat([carry, chunk])
    carry = data.subarray(readFrames(data, { onText, onPing: () => socket.write(PONG) }))
  }
  socket.on('data', onData)
  socket.once('error', reject)
  socket.once('close', () => reject(new Error(`a client was dropped after ${lines} lines`)))
  if (first.length > 0) onData(Buffer.alloc(0))
  return promise
}

/** An empty masked pong. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

type FrameHandlers = { onText(data: Buffer, start: number, end: number): void; onPing(): void }

/** Reads whole frames (RFC 6455, 5.2: a server's are not masked) and gives where the first partial one begins. */
const readFrames = (data: Buffer, { onText, onPing }: FrameHandlers): number => {
  let at = 0
  while (at + 2 <= data.length) {
    let length = data[at + 1]! & 0x7f
    let header = 2
    if (length === 126) {
      if (at + 4 > data.length) break
      length = data.readUInt16BE(at + 2)
      header = 4
    } else if (length === 127) {
      if (at + 10 > data.length) break
      length = Number(data.readBigUInt64BE(at + 2))
      header = 10
    }
    const end = at + header + length
    if (end > data.length) break
    const opcode = data[at]! & 0x0f
    if (opcode === OPCODE_TEXT) onText(data, at + header, end)
    else if (opcode === OPCODE_PING) onPing()
    at = end
  }
  return at
}

/** Messages of lines begin with `{"seq":`. */
const SEQ = Buffer.from('{"seq":')
const isLine = (data: Buffer, start: number): boolean => data[start + 2] === SEQ[2] && data[start + 6] === SEQ[6]

const readSeq = (data: Buffer, start: number): number => {
  let seq = 0
  for (let at = start + SEQ.length; ; at++) {
    const digit = data[at]! - 48
    if (digit < 0 || digit > 9) return seq
    seq = seq * 10 + digit
  }
}
