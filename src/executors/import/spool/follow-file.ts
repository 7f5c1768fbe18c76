import { open } from 'node:fs/promises'
import type { Spooling } from './spooling.ts'

const READ_BYTES = 1024 * 1024

/** The content of a file that is still being written, from its beginning until all is spooled. A part is valid until the next is requested. */
export async function* followFile(spooling: Spooling): AsyncGenerator<Uint8Array> {
  const file = await open(spooling.path)
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  try {
    for (let at = 0; ; ) {
      await spooling.beyond(at)
      if (at >= spooling.written) return
      const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BYTES, spooling.written - at), at)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}
