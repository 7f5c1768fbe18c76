import { readSync } from 'node:fs'
import { Socket } from 'node:net'

/** Reads a pipe with back-pressure from its consumer. */
export interface PipeReader {
  /** Resolves when everything that was in the pipe before this turn of the event loop has been processed. */
  drain(): Promise<void>
  /** Closes the pipe. Anything left in it is lost. */
  close(): void
}

/** Receives a copy that it may keep. A returned promise means: wait. It never rejects. */
type Take = (chunk: Buffer) => void | Promise<void>

/** The capacity of a Linux pipe, so that one read takes everything. */
const BLOCK_BYTES = 64 * 1024

/** The descriptor must be non-blocking, and also open for writing: the pipe then never reaches EOF by itself. */
export const createPipeReader = (descriptor: number, take: Take): PipeReader => {
  let taking: Promise<void> | null = null

  /** Processes chunks in order, wherever they were read. */
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
      // One poll of the event loop reports all readable pipes, and they are read before this continues.
      await new Promise(resolve => setImmediate(resolve))
      if (taking === null) return
      // The consumer was behind, so the pipe may still hold data.
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
    // No data (EAGAIN), or closed.
    return null
  }
}
