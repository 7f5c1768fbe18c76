import { closeSync, read as readCallback } from 'node:fs'
import { promisify } from 'node:util'
import { PIPE_BYTES } from './fifos.ts'

const read = promisify(readCallback)

/** Buffers between statements: as large as a FIFO, so that one read takes all there is. */
const free: Buffer[] = []
const MAX_FREE = 16

const release = (buffer: Buffer): void => {
  if (free.length < MAX_FREE) free.push(buffer)
}

/**
 * Reads until the end and closes. `take` gets each part and resolves once it does not need it any more; false: the
 * rest is dropped. A writer that got EPIPE would go on as well, and count a failed write (`counters.ts`). One part is read
 * while another is taken.
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
