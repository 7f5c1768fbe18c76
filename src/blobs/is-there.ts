import type { BlobStore } from './blob-store.ts'

/** Whether a blob of this size exists, checked the way a reader would find it. Throws like `BlobStore.get`. Reads at most one byte. */
export const isThere = async (blobs: BlobStore, { key, size }: { key: string; size: number }): Promise<boolean> => {
  const content = await blobs.get(key, size === 0 ? { size } : { start: 0, end: 0, size })
  content?.destroy()
  return content !== null
}
