import { execFile } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Spooling } from '../spool/spooling.ts'
import { fillPipe, type Pipe } from './fill-pipe.ts'
import { libraryCalls } from './library-calls.ts'

const run = promisify(execFile)

/** A named pipe that a local engine opens as a file, for content that is still arriving. */
export type FedFifo = {
  readonly path: string
  /** Resolves when all is written or the engine stops reading. Rejects when the content does; the engine then sees an end of file. */
  feed(spooling: Spooling): Promise<void>
  /** Stops feeding and removes the pipe. */
  end(): Promise<void>
}

/** How often to check whether the engine has opened the pipe. */
const LOOK_MS = 2

/** null: the system cannot make one. */
export const makeFifo = async (path: string): Promise<FedFifo | null> => {
  if (!(await makeNamedPipe(path))) return null
  let ended = false
  let pipe: Pipe | null = null
  return {
    path,
    feed: async spooling => {
      pipe = await openWhenRead(path, () => ended)
      if (pipe !== null) await fillPipe(pipe, spooling)
    },
    end: async () => {
      ended = true
      pipe?.socket.destroy()
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

/** fcntl(2), Linux only. */
const F_SETPIPE_SZ = 1031

/** The default maximum for everybody (pipe(7)). */
const PIPE_BYTES = 1024 * 1024

/** Polls, because a non-blocking open for writing fails until there is a reader. A blocking one would wait in a thread that others need. */
const openWhenRead = async (path: string, isEnded: () => boolean): Promise<Pipe | null> => {
  const calls = await libraryCalls()
  for (; !isEnded(); await sleep(LOOK_MS)) {
    try {
      const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      // A pipe has 64 KiB by default, so that both sides keep waiting for each other. If it cannot be widened, it still works.
      if (process.platform === 'linux') calls?.fcntl(descriptor, F_SETPIPE_SZ, PIPE_BYTES)
      const socket = new Socket({ fd: descriptor, readable: false, writable: true })
      // The engine may stop reading. Its statement reports why.
      socket.on('error', () => {})
      return { socket, descriptor, splice: calls?.splice ?? null }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
    }
  }
  return null
}
