import type { BlobStore } from './blob-store.ts'

/** Whether a blob of that size is there, found as a reader would find it. Throws as `BlobStore.get`. Reads a byte at most. */
export const isThere = async (blobs: BlobStore, { key, size }: { key: string; size: number }): Promise<boolean> => {
  const content = await blobs.get(key, size === 0 ? { size } : { start: 0, end: 0, size })
  content?.destroy()
  return content !== null
}
