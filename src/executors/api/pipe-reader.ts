import { readSync } from 'node:fs'
import { Socket } from 'node:net'

/** Reads a pipe as it is written, no faster than what it reads is taken. */
export interface PipeReader {
  /** Resolves when everything has been taken that was in the pipe before this turn of the event loop. */
  drain(): Promise<void>
  /** Closes the pipe; what is left in it is lost. */
  close(): void
}

/** Takes a copy of what was read, which is then its own. A promise means: wait. It never rejects. */
type Take = (chunk: Buffer) => void | Promise<void>

/** A pipe of Linux holds as much: one read takes all there is. */
const BLOCK_BYTES = 64 * 1024

/** The descriptor must be non-blocking, and open for writing too: then the pipe never ends by itself. */
export const createPipeReader = (descriptor: number, take: Take): PipeReader => {
  let taking: Promise<void> | null = null

  /** One after the other, whoever has read it. */
  const accept = (chunk: Buffer): Promise<void> | null => {
    const waiting = taking === null ? take(chunk) : taking.then(() => take(chunk))
    if (waiting === undefined) return null
    const own: Promise<void> = waiting.then(() => {
      if (taking !== own) return
      taking = null
      socket.resume()
    })
    taking = own
    return own
  }

  const socket = new Socket({
    fd: descriptor,
    readable: true,
    writable: false,
    onread: {
      buffer: Buffer.allocUnsafeSlow(BLOCK_BYTES),
      callback: (bytes, block) => {
        return accept(Buffer.from((block as Buffer).subarray(0, bytes))) === null
      },
    },
  })
  socket.on('error', () => {})
  socket.resume()

  return {
    drain: async () => {
      // Pipes that were written before another are readable in the same look at all of them: their turn comes before this.
      await new Promise(resolve => setImmediate(resolve))
      if (taking === null) return
      // It has been held up, and so has what the pipe still holds.
      await taking
      for (let chunk = readNow(descriptor); chunk !== null; chunk = readNow(descriptor)) await accept(chunk)
      await taking
    },
    close: () => socket.destroy(),
  }
}

const readNow = (descriptor: number): Buffer | null => {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  try {
    const bytes = readSync(descriptor, block)
    return bytes === 0 ? null : block.subarray(0, bytes)
  } catch {
    // Nothing there (EAGAIN), or closed.
    return null
  }
}
