import { closeSync, read as readCallback } from 'node:fs'
import { promisify } from 'node:util'
import { PIPE_BYTES } from './fifos.ts'

const read = promisify(readCallback)

/** Spare buffers, each as large as a FIFO, so that one read takes everything. */
const free: Buffer[] = []
const MAX_FREE = 16

const release = (buffer: Buffer): void => {
  if (free.length < MAX_FREE) free.push(buffer)
}

/**
 * Reads to the end and closes the descriptor. `take` gets each part and resolves once it no longer needs it; false: the rest is read and dropped. Stopping
 * early would not end the writer: chDB would get EPIPE, go on, and count a failed write (`counters.ts`). The next part is read while the previous one is being
 * taken.
 */
export const readFifo = async (descriptor: number, take: (part: Uint8Array) => Promise<boolean>): Promise<void> => {
  let taking: Promise<boolean> = Promise.resolve(true)
  try {
    for (;;) {
      const buffer = free.pop() ?? Buffer.allocUnsafeSlow(PIPE_BYTES)
      const { bytesRead } = await read(descriptor, buffer, 0, buffer.length, null)
      const isWanted = await taking
      if (!isWanted || bytesRead === 0) release(buffer)
      if (bytesRead === 0) return
      if (isWanted) taking = take(buffer.subarray(0, bytesRead)).finally(() => release(buffer))
    }
  } finally {
    closeSync(descriptor)
    await taking
  }
}
