import { createHash } from 'node:crypto'

/**
 * MD5s of content cut into parts of `partBytes`, which most stores return as `ETag`. Computed as the content arrives, because hashing a whole part at once
 * would block the event loop.
 */
export const partHashes = (partBytes: number): { add(chunk: Uint8Array): void; of(number: number): string } => {
  const ended: string[] = []
  let part = createHash('md5')
  let filled = 0
  return {
    add: chunk => {
      for (let at = 0; at < chunk.length; ) {
        // Only if there is more: content that ends exactly here has no empty part after it.
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
    /** Numbers start at 1. The last part may be queried once all content has been added. */
    of: number => ended[number - 1] ?? part.copy().digest('hex'),
  }
}
