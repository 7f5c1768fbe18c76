import { closeSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import type { LogWriter } from '../../logs/job-logs.ts'
import type { LogStream } from '../../model/log-line.ts'

/** Copies one stream of a command from its FIFO to the log, with back-pressure from the log. */
export interface Output {
  /** Starts reading. The write end must be open, because a FIFO without a writer reads as EOF. */
  begin(): void
  /** Call when the command has ended: reads the rest. Resolves false if there was no EOF, so that a process may still hold the FIFO. */
  finish(): Promise<boolean>
}

type Options = {
  readonly descriptor: number
  readonly stream: LogStream
  readonly log: LogWriter
  /** The log failed. From then on output is read and discarded. */
  readonly onError: (error: Error) => void
}

const CHUNK_BYTES = 64 * 1024

/** After this much in one turn of the event loop, yield: a job that floods its output must not hold up the server. */
const TURN_BYTES = 256 * 1024

/** With all processes dead, EOF arrives at once. Only back-pressure takes time, and that shows as progress. */
const END_WAIT_MS = 5_000

export const createOutput = ({ descriptor, stream, log, onError }: Options): Output => {
  let failed = false
  let flow: Flow | null = null

  /** A returned promise means: wait. It never rejects. */
  const take = (bytes: Uint8Array): void | Promise<void> => {
    if (failed) return
    try {
      return log.write(stream, bytes)?.catch(fail)
    } catch (error) {
      fail(error as Error)
    }
  }

  const fail = (error: Error): void => {
    if (!failed) onError(error)
    failed = true
  }

  return {
    begin: () => {
      flow ??= startFlow(descriptor, take)
    },
    finish: () => flow?.finish() ?? drain(descriptor, take),
  }
}

type Take = (bytes: Uint8Array) => void | Promise<void>

/** Reads a FIFO expected to be at its end without the cost of a stream: most commands print little and end soon. */
const drain = async (descriptor: number, take: Take): Promise<boolean> => {
  for (;;) {
    const read = tryRead(descriptor)
    if (read === 0) {
      closeSync(descriptor)
      return true
    }
    if (read === null) return startFlow(descriptor, take).finish()
    // Copy, because another drain may use the shared block while this one waits.
    const waiting = take(Buffer.from(shared.subarray(0, read)))
    if (waiting !== undefined) await waiting
  }
}

const shared = Buffer.allocUnsafeSlow(CHUNK_BYTES)

/** null: no data yet, but there is a writer. */
const tryRead = (descriptor: number): number | null => {
  try {
    return readSync(descriptor, shared)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null
    throw error
  }
}

type Flow = { readonly finish: () => Promise<boolean> }

const startFlow = (descriptor: number, take: Take): Flow => {
  const block = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let progress = 0
  let turnBytes = 0
  let holding = false
  const ended = Promise.withResolvers<boolean>()

  const goOn = (): void => {
    holding = false
    turnBytes = 0
    socket.resume()
  }

  const socket = new Socket({
    fd: descriptor,
    readable: true,
    writable: false,
    onread: {
      // The log is done with the bytes when `take` returns or its promise resolves. Nothing is read before that.
      buffer: block,
      callback: read => {
        progress++
        turnBytes += read
        const waiting = take(block.subarray(0, read))
        if (waiting === undefined && turnBytes < TURN_BYTES) return true
        holding = true
        if (waiting === undefined) setImmediate(goOn)
        else void waiting.then(goOn)
        return false
      },
    },
  })
  socket.once('end', () => ended.resolve(true))
  socket.once('error', () => ended.resolve(false))
  socket.once('close', () => ended.resolve(false))
  socket.resume()

  /** Waits for EOF as long as there is progress. */
  const finish = (): Promise<boolean> => {
    let seen = progress
    const timer = setInterval(() => {
      if (progress === seen && !holding) ended.resolve(false)
      seen = progress
    }, END_WAIT_MS)
    return ended.promise.finally(() => {
      clearInterval(timer)
      socket.destroy()
    })
  }
  return { finish }
}
