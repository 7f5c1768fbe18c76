import { createHash } from 'node:crypto'

/**
 * MD5s of content that is cut into parts of so many bytes, which most stores say as their `ETag`. Made as the content comes: to hash a part
 * at once would hold the event loop.
 */
export const partHashes = (partBytes: number): { add(chunk: Uint8Array): void; of(number: number): string } => {
  const ended: string[] = []
  let part = createHash('md5')
  let filled = 0
  return {
    add: chunk => {
      for (let at = 0; at < chunk.length; ) {
        // Only when there is more: what ends just here has no empty part after it.
        if (filled === partBytes) {
          ended.push(part.digest('hex'))
          part = createHash('md5')
          filled = 0
        }
        const piece = chunk.subarray(at, at + partBytes - filled)
        part.update(piece)
        filled += piece.length
        at += piece.length
      }
    },
    /** Numbers begin with 1. The last one may be asked for when all has come. */
    of: number => ended[number - 1] ?? part.copy().digest('hex'),
  }
}
