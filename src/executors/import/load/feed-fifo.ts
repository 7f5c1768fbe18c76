import { execFile } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { once } from '../../../kernel/once.ts'

const run = promisify(execFile)

/** A named pipe that an engine on this machine opens as a file, for content that is still coming. */
export type FedFifo = {
  readonly path: string
  /** Resolves when all is written, or the engine reads no more; rejects as the content does, and the engine sees an end. */
  feed(content: AsyncIterable<Uint8Array>): Promise<void>
  /** Ends the feeding; removes the pipe. */
  end(): Promise<void>
}

/** How soon it is noticed that the engine has opened it. */
const LOOK_MS = 2

/** null where the system makes none. */
export const makeFifo = async (path: string): Promise<FedFifo | null> => {
  if (!(await makeNamedPipe(path))) return null
  let ended = false
  let target: Socket | null = null
  return {
    path,
    feed: async content => {
      target = await openWhenRead(path, () => ended)
      if (target === null) return
      const gone = new Promise<void>(resolve => target!.once('close', resolve))
      try {
        for await (const part of content) {
          if (target.destroyed) break
          await Promise.race([new Promise(resolve => target!.write(part, resolve)), gone])
        }
      } finally {
        target.destroySoon()
        await gone
      }
    },
    end: async () => {
      ended = true
      target?.destroy()
      // An engine that has only just opened it waits in the kernel for a writer, and heeds no cancel there: it has one until nobody can open it any more.
      const release = openBothEnds(path)
      await rm(path, { force: true })
      release()
    },
  }
}

const openBothEnds = (path: string): (() => void) => {
  try {
    const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    return () => closeSync(descriptor)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return () => {}
    throw error
  }
}

/** Whether the system could. Where a function of its library can be called no program is started for it, which takes 10 ms. */
const makeNamedPipe = async (path: string): Promise<boolean> => {
  const calls = await libraryCalls()
  if (calls !== null) return calls.mkfifo(path, OWNER_ALONE) === 0
  return run('mkfifo', ['-m', OWNER_ALONE.toString(8), path]).then(
    () => true,
    () => false,
  )
}

const OWNER_ALONE = 0o600

type LibraryCalls = {
  readonly mkfifo: (path: string, mode: number) => number
  readonly fcntl: (descriptor: number, command: number, argument: number) => number
}

/** null where functions of the system's library cannot be called. */
const libraryCalls = once(async (): Promise<LibraryCalls | null> => {
  try {
    const { dlopen } = await import('node:ffi')
    const signatures = {
      mkfifo: { arguments: ['string', 'u32'], return: 'i32' },
      fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    } as const
    return dlopen(null, signatures).functions as LibraryCalls
  } catch {
    // It is experimental.
    return null
  }
})

/** fcntl(2), of Linux alone. */
const F_SETPIPE_SZ = 1031

/** As much as anybody may have by default (pipe(7)). */
const PIPE_BYTES = 1024 * 1024

/** The system gives a pipe 64 KiB, and both sides wait for each other all the time. One that must stay so small is none the worse for it. */
const widen = async (descriptor: number): Promise<void> => {
  if (process.platform === 'linux') (await libraryCalls())?.fcntl(descriptor, F_SETPIPE_SZ, PIPE_BYTES)
}

/** Opening for writing fails as long as nobody reads, and would else wait in a thread that others need. */
const openWhenRead = async (path: string, isEnded: () => boolean): Promise<Socket | null> => {
  for (; !isEnded(); await sleep(LOOK_MS)) {
    try {
      const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      await widen(descriptor)
      const socket = new Socket({ fd: descriptor, readable: false, writable: true })
      // The engine may read no more: that it failed is told by its statement.
      socket.on('error', () => {})
      return socket
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
    }
  }
  return null
}
