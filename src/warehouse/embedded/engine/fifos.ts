import { dlopen } from 'node:ffi'
import { constants, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Named pipes between chDB, which reads and writes files by path, and this process. They are reused: both ends are in this process, so once it has closed its
 * own end and the statement has ended, no descriptor is left open.
 */
export interface Fifos {
  take(): Fifo
}

export interface Fifo {
  readonly path: string
  /** A non-blocking read end. It reports end of file while there is no writer: hold `openForWriting` until chDB is done. */
  openForReading(): number
  /** Makes reads of a descriptor block until there is content. Call it once there is a writer. */
  wait(descriptor: number): void
  /** A write end. Fails if there is no reader. */
  openForWriting(): number
  release(): void
}

const F_SETFL = 4
const F_SETPIPE_SZ = 1031
/** The capacity of a FIFO: the most that an unprivileged process may set. */
export const PIPE_BYTES = 1024 * 1024

export const createFifos = (directory: string): Fifos => {
  const libc = dlopen(null, {
    mkfifo: { arguments: ['string', 'u32'], return: 'i32' },
    fcntl: { arguments: ['i32', 'i32', 'i64'], return: 'i32' },
  }).functions
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const free: Fifo[] = []
  let made = 0

  const make = (): Fifo => {
    const path = join(directory, `${made++}.fifo`)
    if (libc.mkfifo(path, 0o600) !== 0) throw new Error(`no FIFO can be made in ${directory}`)
    const fifo: Fifo = {
      path,
      openForReading: () => {
        const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
        libc.fcntl(descriptor, F_SETPIPE_SZ, BigInt(PIPE_BYTES))
        return descriptor
      },
      wait: descriptor => void libc.fcntl(descriptor, F_SETFL, 0n),
      openForWriting: () => openSync(path, constants.O_WRONLY | constants.O_NONBLOCK),
      release: () => void free.push(fifo),
    }
    return fifo
  }

  return {
    take: () => free.pop() ?? make(),
  }
}
