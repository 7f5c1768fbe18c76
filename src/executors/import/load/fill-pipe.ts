import { type FileHandle, open } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { Spooling } from '../spool/spooling.ts'
import type { Splice } from './library-calls.ts'

/** The write end of a pipe, which does not block. */
export type Pipe = {
  readonly socket: Socket
  /** The socket's. Another file may have the number once the socket is destroyed. */
  readonly descriptor: number
  /** null: this system has none. */
  readonly splice: Splice | null
}

const READ_BYTES = 1024 * 1024

/** The least that a full pipe has no room for. */
const PAGE_BYTES = 4096

/** SPLICE_F_MOVE and SPLICE_F_NONBLOCK: it fails if the pipe is full. */
const FLAGS = 3

/** It takes less than a millisecond if the file is in memory. Otherwise the event loop waits for the disk, which should happen once at most. */
const SLOW_MS = 20

/**
 * Writes to a pipe what is being spooled, and closes it. Resolves when all is written or the pipe has no reader any more; rejects with what ended the content.
 * Where possible, the kernel hands the pages of the file to the pipe (splice(2)): to copy 300 MB here and back takes 0.1 s of CPU time.
 */
export const fillPipe = async (pipe: Pipe, spooling: Spooling): Promise<void> => {
  const { socket } = pipe
  const gone = new Promise<void>(resolve => socket.once('close', resolve))
  try {
    await using file = await open(spooling.path)
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    const move = createMove(pipe, file)
    for (let done = 0; ; ) {
      await spooling.beyond(done)
      const left = spooling.written - done
      if (socket.destroyed || left === 0) return
      const { moved, isOver } = move(left)
      done += moved
      if (moved > 0) continue
      // A write also waits until there is room, and notices that the reader is gone.
      const { bytesRead } = await file.read(buffer, 0, Math.min(left, isOver ? READ_BYTES : PAGE_BYTES), null)
      await Promise.race([new Promise(resolve => socket.write(buffer.subarray(0, bytesRead), resolve)), gone])
      done += bytesRead
    }
  } finally {
    socket.destroySoon()
    await gone
  }
}

/** Moves up to so many bytes from the file's position. None: the pipe is full or, if that is over, it will not move more. */
type Move = (bytes: number) => { readonly moved: number; readonly isOver: boolean }

const createMove = ({ descriptor, splice }: Pipe, file: FileHandle): Move => {
  let isOver = splice === null
  let isFirst = true
  return bytes => {
    if (isOver) return { moved: 0, isOver }
    const start = performance.now()
    const moved = Math.max(0, Number(splice!(file.fd, 0n, descriptor, 0n, BigInt(bytes), FLAGS)))
    // If an empty pipe gets nothing, the file system does not support it.
    isOver = performance.now() - start > SLOW_MS || (isFirst && moved === 0)
    isFirst = false
    return { moved, isOver }
  }
}
