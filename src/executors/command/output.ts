import { closeSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import type { LogWriter } from '../../logs/job-logs.ts'
import type { LogStream } from '../../model/log-line.ts'

/** Carries one stream of a command from its FIFO into the log, no faster than the log takes it. */
export interface Output {
  /** Starts reading; the write end must be open, for a FIFO without a writer reads as ended. */
  begin(): void
  /** The command is over: reads what is left. Resolves false when the end did not come, so that someone may still hold the FIFO. */
  finish(): Promise<boolean>
}

type Options = {
  readonly descriptor: number
  readonly stream: LogStream
  readonly log: LogWriter
  /** The log failed; from then on output is read and dropped. */
  readonly onError: (error: Error) => void
}

const CHUNK_BYTES = 64 * 1024

/** The log keeps what it is given for a while: few bytes are copied, so that they do not hold a whole block. */
const COPIED_BYTES = CHUNK_BYTES / 4

/** With all processes dead the end is there at once; only back-pressure takes time, and that shows as progress. */
const END_WAIT_MS = 5_000

export const createOutput = ({ descriptor, stream, log, onError }: Options): Output => {
  let failed = false
  let flow: Flow | null = null

  /** A promise means: wait. It never rejects. */
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

/** Reads a FIFO that is expected to be at its end, without the cost of a stream: most commands say little and end soon. */
const drain = async (descriptor: number, take: Take): Promise<boolean> => {
  for (;;) {
    const read = tryRead(descriptor)
    if (read === 0) {
      closeSync(descriptor)
      return true
    }
    if (read === null) return startFlow(descriptor, take).finish()
    const waiting = take(Buffer.from(shared.subarray(0, read)))
    if (waiting !== undefined) await waiting
  }
}

const shared = Buffer.allocUnsafeSlow(CHUNK_BYTES)

/** null: nothing there yet, and a writer somewhere. */
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
  let block: Uint8Array = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let progress = 0
  let holding = false
  const ended = Promise.withResolvers<boolean>()

  const socket = new Socket({
    fd: descriptor,
    readable: true,
    writable: false,
    onread: {
      // Called after `callback`, for the next read.
      buffer: () => block,
      callback: (read, bytes) => {
        progress++
        if (read > COPIED_BYTES) block = Buffer.allocUnsafeSlow(CHUNK_BYTES)
        const waiting = take(read > COPIED_BYTES ? bytes.subarray(0, read) : Buffer.from(bytes.subarray(0, read)))
        if (waiting === undefined) return true
        holding = true
        void waiting.then(() => {
          holding = false
          socket.resume()
        })
        return false
      },
    },
  })
  socket.once('end', () => ended.resolve(true))
  socket.once('error', () => ended.resolve(false))
  socket.once('close', () => ended.resolve(false))
  socket.resume()

  /** Waits for the end as long as there is progress. */
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
