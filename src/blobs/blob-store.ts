import type { Readable } from 'node:stream'

/**
 * Content that does not change: artifacts, results, sealed logs. Stored under a random key; the database knows what it
 * is. A blob exists only when `put` has resolved: it is written elsewhere, flushed to disk, then moved to its key.
 */
export interface BlobStore {
  /**
   * Streams to the end of `content`, hashing on the way. Rejects when the stream fails, when it holds more than `maxBytes`
   * (`too_large`), when the disk is full, or, with its reason, when the signal aborts; then nothing stays. A `GrowingFile`, which must
   * have been begun, is moved rather than copied where that can be.
   */
  put(content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredBlob>
  /** Bytes `start`…`end` (both inclusive), or all. null: no such key. */
  get(key: string, range?: { start: number; end: number }): Promise<Readable | null>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
  /** A URL that reads the blob without a token until `expiresAt` (epoch ms), or null where the store has none. */
  presign(key: string, options: { expiresAt: number; filename: string; contentType: string }): Promise<string | null>
  /** Keys whose content was written before that time (epoch ms), in pages: to find orphans of a crash. Also removes unfinished writes of that age. */
  listOlderThan(time: number): AsyncIterable<readonly string[]>
  /** Throws when nothing can be written. */
  ping(): Promise<void>
}

export type PutOptions = {
  /** Any number when absent. */
  readonly maxBytes?: number
  /** Ends it, also where it waits for a network or a disk and not for the content. */
  readonly signal?: AbortSignal
}

export type StoredBlob = { readonly key: string; readonly sha256: string; readonly size: number }
