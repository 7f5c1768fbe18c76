import { writeSync } from 'node:fs'

const BLOCK_BYTES = 1024 * 1024

/** Buffers what is kept and writes it in blocks. */
export const createRunWriter = (descriptor: number | null) => {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  let filled = 0
  const writeAll = (bytes: Uint8Array): void => {
    if (descriptor === null) return
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
  }
  const flush = (): void => {
    writeAll(block.subarray(0, filled))
    filled = 0
  }
  return {
    write: (bytes: Uint8Array): void => {
      if (descriptor === null) return
      if (filled + bytes.length > BLOCK_BYTES) flush()
      if (bytes.length > BLOCK_BYTES) writeAll(bytes)
      else {
        block.set(bytes, filled)
        filled += bytes.length
      }
    },
    flush,
  }
}
