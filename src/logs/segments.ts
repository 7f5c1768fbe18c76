import type { BlobStore } from '../blobs/blob-store.ts'
import { chunksIn, readChunk } from './chunk.ts'
import { unseal } from './seal.ts'

/** Number of unpacked segments cached for the next reader, about 4 MiB each. */
const KEPT_SEGMENTS = 4
const KEEP_MS = 15_000

/** Sealed segments, unpacked on demand and shared by their readers. */
export class Segments {
  readonly #blobs: BlobStore
  readonly #kept = new Map<string, Promise<Segment | null>>()
  #expiry: NodeJS.Timeout | null = null

  constructor(blobs: BlobStore) {
    this.#blobs = blobs
  }

  /** null: the blob is gone. */
  get(blobKey: string): Promise<Segment | null> {
    const segment = this.#kept.get(blobKey) ?? this.#load(blobKey)
    this.#kept.delete(blobKey)
    this.#kept.set(blobKey, segment)
    if (this.#kept.size > KEPT_SEGMENTS) this.#kept.delete(this.#kept.keys().next().value!)
    this.#expireLater()
    return segment
  }

  async #load(blobKey: string): Promise<Segment | null> {
    try {
      const bytes = await unseal(this.#blobs, blobKey)
      return bytes === null ? null : new Segment(bytes)
    } catch (error) {
      this.#kept.delete(blobKey)
      throw error
    }
  }

  #expireLater(): void {
    this.#expiry ??= setTimeout(() => {
      this.#kept.clear()
      this.#expiry = null
    }, KEEP_MS).unref()
  }
}

/** An unpacked segment with an index of its chunks, because slow logs have tens of thousands. */
export class Segment {
  readonly #bytes: Buffer
  readonly #offsets: number[] = []
  readonly #seqs: number[] = []

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    for (const chunk of chunksIn(bytes)) {
      if (chunk.count === 0) continue
      this.#offsets.push(chunk.offset)
      this.#seqs.push(chunk.firstSeq)
    }
  }

  /** Complete chunks starting with the one that contains the line: about `maxBytes`, at least one chunk. */
  readFrom(seq: number, maxBytes: number): Buffer {
    let low = 0
    let high = this.#seqs.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#seqs[middle]! <= seq) low = middle
      else high = middle - 1
    }
    const start = this.#offsets[low] ?? this.#bytes.length
    const first = readChunk(this.#bytes, start)
    return this.#bytes.subarray(start, Math.max(first?.end ?? start, start + maxBytes))
  }
}
