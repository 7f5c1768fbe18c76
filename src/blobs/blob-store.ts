import type { Readable } from 'node:stream'

/**
 * Content that does not change: artifacts, results, sealed logs. Stored under a random key; the database knows what it
 * is. A blob exists only when `put` has resolved: it is written elsewhere, flushed to disk, then moved to its key.
 */
export interface BlobStore {
  /**
   * Streams to the end of `content`, hashing on the way. Rejects when the stream fails, when it holds more than `maxBytes`
   * (`too_large`), when the disk is full (ENOSPC), when the store is away or refuses (`storage_unavailable`), or, with its reason, when the
   * signal aborts; then nothing stays. What the content fails with stays as it is. A `GrowingFile`, which must have been begun, is moved
   * rather than copied where that can be.
   */
  put(content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredBlob>
  /** null: no such key. Throws `storage_unavailable`, `content_damaged`; the stream may fail with the first. */
  get(key: string, part?: BlobPart): Promise<Readable | null>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
  /** A URL that reads the blob without a token, or null where the store has none. Whether the blob is there is not looked at. */
  presign(key: string, options: PresignOptions): Promise<string | null>
  /** Keys whose content was written before that time (epoch ms), in pages: to find orphans of a crash. Also removes unfinished writes of that age. */
  listOlderThan(time: number): AsyncIterable<readonly string[]>
  /** Throws when nothing can be written: `storage_unavailable`, ENOSPC. */
  ping(): Promise<void>
}

/** What of a blob is wanted: all when absent. */
export type BlobPart = {
  /** Of its bytes; the first when absent. */
  readonly start?: number
  /** Up to and including this one; to its end when absent. */
  readonly end?: number
  /** How many bytes all of it had when it was stored: with another number it is `content_damaged`. */
  readonly size?: number
}

export type PresignOptions = {
  /** The one that the URL is good for. */
  readonly method: 'GET' | 'HEAD'
  /** Epoch ms. */
  readonly expiresAt: number
  readonly filename: string
  readonly contentType: string
}

export type PutOptions = {
  /** Any number when absent. */
  readonly maxBytes?: number
  /** Ends it, also where it waits for a network or a disk and not for the content. */
  readonly signal?: AbortSignal
}

export type StoredBlob = { readonly key: string; readonly sha256: string; readonly size: number }
