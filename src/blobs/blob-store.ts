import type { Readable } from 'node:stream'

/**
 * Stores immutable content: artifacts, results, sealed logs. Each blob has a random key; the database knows what it is. A blob exists only once `put` has
 * resolved: it is written to a temporary place, flushed to disk, then moved to its key.
 */
export interface BlobStore {
  /**
   * Streams `content` to its end, hashing on the way. Rejects if the stream fails, if it exceeds `maxBytes` (`too_large`), if the disk is full (ENOSPC), if
   * the store is unreachable or refuses (`storage_unavailable`), or, with its reason, if the signal aborts. Nothing is stored in these cases. Errors of the
   * content are passed through. A `GrowingFile`, whose writing must have begun, is moved instead of copied where possible.
   */
  put(content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredBlob>
  /** null: no such key. Throws `storage_unavailable`, `content_damaged`. The stream may fail with the former. */
  get(key: string, part?: BlobPart): Promise<Readable | null>
  /** Deleting a missing blob is no error. */
  delete(key: string): Promise<void>
  /** A URL for reading the blob without a token, or null if the store does not support this. Does not check that the blob exists. */
  presign(key: string, options: PresignOptions): Promise<string | null>
  /** Pages of keys whose content was written before `time` (epoch ms), to find orphans of a crash. Also removes unfinished writes of that age. */
  listOlderThan(time: number): AsyncIterable<readonly string[]>
  /** Throws if nothing can be written: `storage_unavailable`, ENOSPC. */
  ping(): Promise<void>
}

/** A part of a blob. The whole blob if absent. */
export type BlobPart = {
  /** Offset of the first byte. 0 if absent. */
  readonly start?: number
  /** Offset of the last byte (inclusive). The end if absent. */
  readonly end?: number
  /** Size of the whole blob in bytes when it was stored. Any other size is `content_damaged`. */
  readonly size?: number
}

export type PresignOptions = {
  /** The only method that the URL permits. */
  readonly method: 'GET' | 'HEAD'
  /** Epoch ms. */
  readonly expiresAt: number
  readonly filename: string
  readonly contentType: string
}

export type PutOptions = {
  /** Unlimited if absent. */
  readonly maxBytes?: number
  /** Aborts the upload, even while it waits for a network or a disk and not for the content. */
  readonly signal?: AbortSignal
}

export type StoredBlob = { readonly key: string; readonly sha256: string; readonly size: number }
