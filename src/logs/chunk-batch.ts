import { CHUNK_HEADER_BYTES, type ChunkHeader, nextSeqOf, writeChunk } from './chunk.ts'

/** Blocks of a busy log are reused. A quiet log starts with a small block and releases it. */
const BLOCK_BYTES = 256 * 1024
const FIRST_BLOCK_BYTES = 1024

type Block = { readonly bytes: Buffer; used: number }

/** The extent of a range of chunks: seqs, times and size of its lines. */
export type Extent = {
  readonly firstSeq: number
  readonly nextSeq: number
  readonly firstAt: number
  readonly lastAt: number
  /** Bytes of the lines, with one newline per line. */
  readonly textBytes: number
}

/** The extent of one chunk. */
export const extentOf = (chunk: ChunkHeader & { readonly text: Uint8Array }): Extent => ({
  firstSeq: chunk.firstSeq,
  nextSeq: nextSeqOf(chunk),
  firstAt: chunk.timestamp,
  lastAt: chunk.timestamp,
  textBytes: chunk.count === 0 ? 0 : chunk.text.length + 1,
})

/** The joint extent of two consecutive ranges. */
export const joinExtents = (first: Extent | null, second: Extent): Extent =>
  first === null
    ? second
    : {
        firstSeq: first.firstSeq,
        nextSeq: second.nextSeq,
        firstAt: first.firstAt,
        lastAt: second.lastAt,
        textBytes: first.textBytes + second.textBytes,
      }

/** Chunks waiting to be written to the spool. One batch is filled while the other is written. */
export class ChunkBatch {
  #blocks: Block[] = []
  #current = 0
  #extent: Extent | null = null
  #size = 0

  /** Size of the encoded chunks in bytes. */
  get size(): number {
    return this.#size
  }

  get extent(): Extent | null {
    return this.#extent
  }

  /** The encoded chunks. Valid until `clear`. */
  get buffers(): Buffer[] {
    return this.#blocks.filter(block => block.used > 0).map(block => block.bytes.subarray(0, block.used))
  }

  add(header: ChunkHeader, text: Uint8Array): void {
    const size = CHUNK_HEADER_BYTES + text.length
    const block = this.#blockWithRoom(size)
    block.used = writeChunk(block.bytes, block.used, header, text)
    this.#size += size
    this.#extent = joinExtents(this.#extent, extentOf({ ...header, text }))
  }

  clear(): void {
    this.#blocks = this.#blocks.filter(block => block.bytes.length === BLOCK_BYTES)
    for (const block of this.#blocks) block.used = 0
    this.#current = 0
    this.#extent = null
    this.#size = 0
  }

  #blockWithRoom(size: number): Block {
    for (; this.#current < this.#blocks.length; this.#current++) {
      const block = this.#blocks[this.#current]!
      if (block.bytes.length - block.used >= size) return block
    }
    const capacity = Math.max(
      size,
      this.#blocks.length === 0 && size < FIRST_BLOCK_BYTES ? FIRST_BLOCK_BYTES : BLOCK_BYTES,
    )
    const block = { bytes: Buffer.allocUnsafeSlow(capacity), used: 0 }
    this.#blocks.push(block)
    return block
  }
}
