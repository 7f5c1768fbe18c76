import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { once } from '../../kernel/once.ts'
import { WarehouseError } from '../warehouse.ts'
import { RESULT_PIPES, resultPipeName } from './engine/protocol.ts'

/**
 * A shorter way for large results than the body of an HTTP answer: chDB writes into a FIFO that the server reads, so that the
 * bytes pass neither the engine's JavaScript nor a parser of HTTP (half the time for 200 MB). The statement is sent as ever, with
 * one parameter more; its answer, without a body, comes when the result is written, and tells errors wherever they happened.
 */
export interface ResultPipes {
  /** null when all are in use: let the result come as the answer's body then. */
  take(): ResultPipe | null
}

export interface ResultPipe {
  /** To be sent along as settings of the statement. */
  readonly parameters: { readonly result_pipe: string }
  /** Reads what the statement writes whose answer is given; call it once, when the statement is sent. */
  read(answer: Promise<unknown>): PipedResult
}

export type PipedResult = {
  /** Resolves when the first bytes or the answer are there; rejects as the answer does when it fails before. */
  readonly begun: Promise<void>
  /** Parts of up to 1 MiB. Throws in the end what the answer rejects with. Leaving it early does not end the statement: end the request. */
  readonly content: AsyncGenerator<Uint8Array>
  /** For who does not read the content at all. */
  close(): void
}

/** As large as the FIFO: one read takes all there is. */
const PART_BYTES = 1024 * 1024

/** Smaller parts are copied, so that they do not hold a whole buffer. */
const SMALL_BYTES = PART_BYTES / 4

/** Those of one engine's life, which has made the FIFOs. */
export const createResultPipes = (spoolPath: string): ResultPipes => {
  const free = Array.from({ length: RESULT_PIPES }, (_, number) => resultPipeName(number))
  return {
    take: () => {
      const name = free.pop()
      if (name === undefined) return null
      return {
        parameters: { result_pipe: name },
        read: answer => {
          const input = { path: join(spoolPath, name), answer, release: () => void free.push(name) }
          return existsSync(input.path) ? readPipe(input) : withoutPipe(answer)
        },
      }
    },
  }
}

const readPipe = (input: { path: string; answer: Promise<unknown>; release: () => void }): PipedResult => {
  const { path, answer, release } = input
  // As long as it is open the pipe does not read as ended. Opened for both it waits for nobody.
  const hold = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const pipe = createPartReader(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
  const letEnd = once(() => closeSync(hold))
  const settled = answer.then(letEnd, letEnd)
  void Promise.all([settled, pipe.closed]).then(release)
  const begun = Promise.race([pipe.begun, answer]).then(() => {})
  begun.catch(() => {})
  // Then nothing blocks in a write any more; chDB drops what follows until it hears that the client has gone.
  const close = () => {
    letEnd()
    pipe.close()
  }
  return { begun, content: readParts({ pipe, answer, close }), close }
}

/** The pipes have gone with their engine, and the statement does not find it either. */
const withoutPipe = (answer: Promise<unknown>): PipedResult => {
  const lost = answer.then((): readonly Uint8Array[] => {
    throw new WarehouseError('engine_lost', 'The engine is gone, and its pipes with it.')
  })
  const begun = lost.then(() => {})
  begun.catch(() => {})
  async function* content(): AsyncGenerator<Uint8Array> {
    yield* await lost
  }
  return { begun, content: content(), close: () => {} }
}

async function* readParts(input: {
  readonly pipe: PartReader
  readonly answer: Promise<unknown>
  readonly close: () => void
}): AsyncGenerator<Uint8Array> {
  const { pipe, answer, close } = input
  try {
    for (let part = await pipe.next(); part !== null; part = await pipe.next()) yield part
    await answer
  } finally {
    close()
  }
}

interface PartReader {
  readonly begun: Promise<void>
  readonly closed: Promise<void>
  /** null: the end. */
  next(): Promise<Uint8Array | null>
  close(): void
}

/** Waits for content on the event loop, not on a thread: the server has few. Reads one part ahead. */
const createPartReader = (descriptor: number): PartReader => {
  const begun = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const parts: Uint8Array[] = []
  let ended = false
  let wake = (): void => {}
  let buffer = Buffer.allocUnsafeSlow(PART_BYTES)

  const receive = (bytes: number): boolean => {
    const small = bytes < SMALL_BYTES
    parts.push(small ? Buffer.from(buffer.subarray(0, bytes)) : buffer.subarray(0, bytes))
    if (!small) buffer = Buffer.allocUnsafeSlow(PART_BYTES)
    begun.resolve()
    wake()
    return parts.length < 2
  }
  const socket = new Socket({
    fd: descriptor,
    readable: true,
    writable: false,
    onread: { buffer: () => buffer, callback: receive },
  })
  socket.on('error', () => {})
  socket.once('close', () => {
    ended = true
    closed.resolve()
    wake()
  })

  return {
    begun: begun.promise,
    closed: closed.promise,
    next: async () => {
      if (parts.length === 0 && !ended) await new Promise<void>(resolve => (wake = resolve))
      const part = parts.shift()
      if (part !== undefined && parts.length === 0) socket.resume()
      return part ?? null
    },
    close: () => void socket.destroy(),
  }
}
