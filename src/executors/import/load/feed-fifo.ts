import { execFile } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { once } from '../../../kernel/once.ts'

const run = promisify(execFile)

/** A named pipe that a local engine opens as a file, for content that is still arriving. */
export type FedFifo = {
  readonly path: string
  /** Resolves when all is written or the engine stops reading. Rejects when the content does; the engine then sees an end of file. */
  feed(content: AsyncIterable<Uint8Array>): Promise<void>
  /** Stops feeding and removes the pipe. */
  end(): Promise<void>
}

/** How often to check whether the engine has opened the pipe. */
const LOOK_MS = 2

/** null: the system cannot make one. */
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
      // An engine that has just opened the pipe blocks in the kernel until there is a writer, and cannot be cancelled. Be that writer until the pipe is
      // removed.
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

/** False: the system cannot. Calls mkfifo(3) where possible: starting a program takes 10 ms. */
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

/** null: functions of the system's library cannot be called. */
const libraryCalls = once(async (): Promise<LibraryCalls | null> => {
  try {
    const { dlopen } = await import('node:ffi')
    const signatures = {
      mkfifo: { arguments: ['string', 'u32'], return: 'i32' },
      fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    } as const
    return dlopen(null, signatures).functions as LibraryCalls
  } catch {
    // `node:ffi` is experimental.
    return null
  }
})

/** fcntl(2), Linux only. */
const F_SETPIPE_SZ = 1031

/** The default maximum for everybody (pipe(7)). */
const PIPE_BYTES = 1024 * 1024

/** A pipe has 64 KiB by default, so that both sides keep waiting for each other. If it cannot be widened, it still works. */
const widen = async (descriptor: number): Promise<void> => {
  if (process.platform === 'linux') (await libraryCalls())?.fcntl(descriptor, F_SETPIPE_SZ, PIPE_BYTES)
}

/** Polls, because a non-blocking open for writing fails until there is a reader. A blocking one would wait in a thread that others need. */
const openWhenRead = async (path: string, isEnded: () => boolean): Promise<Socket | null> => {
  for (; !isEnded(); await sleep(LOOK_MS)) {
    try {
      const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      await widen(descriptor)
      const socket = new Socket({ fd: descriptor, readable: false, writable: true })
      // The engine may stop reading. Its statement reports why.
      socket.on('error', () => {})
      return socket
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
    }
  }
  return null
}
