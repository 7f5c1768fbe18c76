import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Progress } from '../../model/job.ts'
import type { LogStream } from '../../model/log-line.ts'
import type { HostEnd, StartedHost } from './host-launcher.ts'
import {
  type Call,
  createFrameReader,
  encodeFrame,
  type Frame,
  type HostFailure,
  ORDER,
  REPORT,
} from './host-protocol.ts'
import { createPipeReader } from './pipe-reader.ts'
import { readCall, readFailure, readProgress } from './read-report.ts'

/** One function host, from its start until nothing of it is left. */
export interface FunctionHost {
  /** Set once the host has reported that it is ready. */
  readonly pid: number
  readonly ticket: number
  /** The host's working directory, where it also leaves files for the server. */
  readonly directory: string
  /** Number of items it has been given. */
  readonly runs: number
  /** Runs one item; the previous one must have ended. `over` resolves when the item or the host has ended. Never rejects. */
  run(order: string, listener: ItemListener): RunningOnHost
  kill(): void
  /** Resolves when the host accepts orders, or has ended before that. */
  readonly ready: Promise<void>
  /** Resolves when nothing of the host is left, including its directory, and all its reports have been received. */
  readonly ended: Promise<HostEnd>
  /** The end of its raw stdout and stderr, where Node says why it died. */
  readonly lastWords: () => string
}

/** Receives an item's reports while it runs. A returned promise holds back further reports. Must not throw or reject. */
export interface ItemListener {
  output(stream: LogStream, bytes: Uint8Array): void | Promise<void>
  progress(progress: Progress): void
  call(call: Call): void | Promise<void>
}

export type RunningOnHost = {
  stop(reason: string): void
  reply(text: string): void
  readonly over: Promise<ItemEnd>
}

export type ItemEnd =
  /** `clean`: nothing of it is left in the host. */
  | { readonly type: 'returned'; readonly result: Buffer; readonly clean: boolean }
  | { readonly type: 'failed'; readonly failure: HostFailure; readonly clean: boolean }
  /** Nothing was run, because modules have changed. */
  | { readonly type: 'stale' }
  /** The host ended before the function did. */
  | { readonly type: 'died'; readonly end: HostEnd }

type Current = {
  readonly item: number
  readonly listener: ItemListener
  readonly over: (end: ItemEnd) => void
  end: Extract<ItemEnd, { clean: boolean }> | null
}

type Pipes = Record<'orders' | 'reports' | 'stdout' | 'stderr', number>

const LAST_WORDS = 4096

type Options = {
  readonly pipes: Pipes
  readonly started: StartedHost
  readonly directory: string
  /** Called when the host has ended and the pipes are closed. */
  readonly cleanUp: (end: HostEnd) => Promise<void>
}

/** Communicates with a host that is being started. Takes ownership of the descriptors. */
export const createFunctionHost = ({ pipes, started, directory, cleanUp }: Options): FunctionHost => {
  const ready = Promise.withResolvers<void>()
  let current: Current | null = null
  let pid = 0
  let runs = 0
  let lastWords = ''
  let broken = false

  const takeRaw =
    (stream: LogStream) =>
    (chunk: Buffer): void | Promise<void> => {
      lastWords = (lastWords + chunk.toString('latin1')).slice(-LAST_WORDS)
      return current?.listener.output(stream, chunk)
    }
  const raw = (['stdout', 'stderr'] as const).map(stream => createPipeReader(pipes[stream], takeRaw(stream)))

  const hear = ({ type, item, payload }: Frame): void | Promise<void> => {
    if (broken) return
    if (type === REPORT.ready) {
      if (pid === 0) pid = Number(payload.toString())
      return ready.resolve()
    }
    if (current === null || current.item !== item) return
    if (type === REPORT.stdout || type === REPORT.stderr)
      return current.listener.output(type === REPORT.stdout ? 'stdout' : 'stderr', payload)
    if (type === REPORT.progress) return current.listener.progress(readProgress(payload))
    if (type === REPORT.call) return current.listener.call(readCall(payload))
    if (type === REPORT.result) current.end = { type: 'returned', result: payload, clean: false }
    else if (type === REPORT.failure) current.end = { type: 'failed', failure: readFailure(payload), clean: false }
    else if (type === REPORT.stale) finish({ type: 'stale' })
    else if (current.end !== null && (type === REPORT.clean || type === REPORT.dirty))
      void finishWithOutput({ ...current.end, clean: type === REPORT.clean })
    else throw new Error('a report is none')
  }

  const readFrames = createFrameReader()
  const takeReports = (chunk: Buffer): void | Promise<void> => {
    try {
      return each(readFrames(chunk), hear)?.catch(giveUp)
    } catch {
      giveUp()
    }
  }
  /** An invalid frame or report: whatever this process is now, it can no longer be trusted as a host. */
  const giveUp = (): void => {
    broken = true
    started.kill()
  }
  const reports = createPipeReader(pipes.reports, takeReports)
  const send = createSender(pipes.orders)

  const finish = (end: ItemEnd): void => {
    const over = current?.over
    current = null
    over?.(end)
  }

  /** Raw output of the item belongs to it, too. */
  const finishWithOutput = async (end: ItemEnd): Promise<void> => {
    const { over } = current!
    await Promise.all(raw.map(reader => reader.drain()))
    if (current?.over === over) finish(end)
  }

  const watchEnd = async (): Promise<HostEnd> => {
    const end = await started.ended
    await reports.drain()
    await Promise.all(raw.map(reader => reader.drain()))
    if (current !== null) finish(current.end ?? { type: 'died', end })
    for (const reader of [reports, ...raw]) reader.close()
    send.close()
    ready.resolve()
    await cleanUp(end)
    return end
  }

  return {
    ticket: started.ticket,
    directory,
    get pid() {
      return pid
    },
    get runs() {
      return runs
    },
    kill: started.kill,
    ready: ready.promise,
    ended: watchEnd(),
    lastWords: () => lastWords,
    run: (order, listener) => {
      const item = ++runs
      const { promise, resolve } = Promise.withResolvers<ItemEnd>()
      lastWords = ''
      current = { item, listener, over: resolve, end: null }
      send.write(encodeFrame(ORDER.run, item, order))
      return {
        stop: reason => send.write(encodeFrame(ORDER.stop, item, reason)),
        reply: text => send.write(encodeFrame(ORDER.reply, item, text)),
        over: promise,
      }
    },
  }
}

/** Processes frames in order. A promise delays the next one. */
const each = (
  frames: readonly Frame[],
  take: (frame: Frame) => void | Promise<void>,
  from = 0,
): void | Promise<void> => {
  for (let index = from; index < frames.length; index++) {
    const waiting = take(frames[index]!)
    if (waiting !== undefined) return waiting.then(() => each(frames, take, index + 1))
  }
}

type Sender = { readonly write: (bytes: Buffer) => void; readonly close: () => void }

/** Most orders fit into the pipe at once; the rest is queued in a stream. */
const createSender = (descriptor: number): Sender => {
  const socket = new Socket({ fd: descriptor, readable: false, writable: true })
  socket.on('error', () => {})
  return {
    write: bytes => {
      if (socket.destroyed) return
      const sent = socket.writableLength === 0 ? tryWrite(descriptor, bytes) : 0
      if (sent < bytes.length) socket.write(bytes.subarray(sent))
    },
    close: () => socket.destroy(),
  }
}

const tryWrite = (descriptor: number, bytes: Buffer): number => {
  try {
    return writeSync(descriptor, bytes)
  } catch {
    // The pipe is full (EAGAIN).
    return 0
  }
}
