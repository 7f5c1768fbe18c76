import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { BlobStore, StoredBlob } from '../blobs/blob-store.ts'
import type { Store } from '../store/store.ts'

/**
 * Uploaded content on its way to the import job that reads it. It is in the blob store, where every worker can read it, and the job's body refers to it as
 * `upload:<key>.<size>.<signature>`. The signature is valid for this installation and one workspace, so that nobody can name another blob. A completed import
 * removes its upload; the rest are garbage-collected once the job has ended and the content is a day old (`keysOfLiveUploads`).
 */
export interface Uploads {
  /** Reads the stream to its end. Rejects as `BlobStore.put` does: `too_large` (`MillraceError`) beyond `maxBytes`, ENOSPC; then nothing is stored. */
  put(input: {
    workspace: string
    content: AsyncIterable<Uint8Array>
    maxBytes: number
  }): Promise<{ readonly url: string; readonly bytes: number }>
  /** null: not created here for this workspace, or gone. */
  open(input: { workspace: string; url: string; start?: number }): Promise<OpenUpload | null>
  /** No error if it is gone, or the URL is not one of ours. */
  remove(input: { workspace: string; url: string }): Promise<void>
}

export type OpenUpload = { readonly bytes: number; readonly content: Readable }

type Options = {
  readonly blobs: BlobStore
  /** `SecretBox.deriveKey('uploads')` */
  readonly key: Uint8Array
}

export const createUploads = ({ blobs, key: signingKey }: Options): Uploads => {
  const sign = (workspace: string, { key, size }: UploadName): string =>
    createHmac('sha256', signingKey).update(`${workspace}\n${key}\n${size}`).digest('base64url')

  const known = (workspace: string, url: string): UploadName | null => {
    const upload = parseUploadUrl(url)
    if (upload === null) return null
    const [given, right] = [Buffer.from(upload.signature), Buffer.from(sign(workspace, upload))]
    return given.length === right.length && timingSafeEqual(given, right) ? upload : null
  }

  return {
    put: async ({ workspace, content, maxBytes }) => {
      const blob = await blobs.put(content, { maxBytes })
      return { url: `upload:${blob.key}.${blob.size}.${sign(workspace, blob)}`, bytes: blob.size }
    },
    open: async ({ workspace, url, start = 0 }) => {
      const upload = known(workspace, url)
      if (upload === null) return null
      const content = await blobs.get(upload.key, { start, size: upload.size })
      return content === null ? null : { bytes: upload.size, content }
    },
    remove: async ({ workspace, url }) => {
      const upload = known(workspace, url)
      if (upload !== null) await blobs.delete(upload.key)
    },
  }
}

type UploadName = Pick<StoredBlob, 'key' | 'size'>

/** Does not verify the signature. */
const parseUploadUrl = (url: string): (UploadName & { readonly signature: string }) | null => {
  const match = /^upload:([0-9a-f]{32})\.(\d{1,16})\.([A-Za-z0-9_-]{43})$/.exec(url)
  return match === null ? null : { key: match[1]!, size: Number(match[2]), signature: match[3]! }
}

const PAGE = 500

/**
 * Keys of the uploads that import jobs still have to read. Jobs may wait longer than the age at which an unreferenced blob counts as an orphan. Looks at all
 * workspaces; few jobs have not ended.
 */
export const keysOfLiveUploads = async (
  store: Pick<Store, 'listWorkspaces' | 'listJobs'>,
): Promise<ReadonlySet<string>> => {
  const keys = new Set<string>()
  for (const { id: workspace } of await store.listWorkspaces()) {
    for (let cursor: string | null = null; ; ) {
      const page = await store.listJobs({ workspace, filters: LIVE_IMPORTS, limit: PAGE, cursor })
      for (const { spec } of page.jobs) {
        const { import: asked } = JSON.parse(spec) as { import?: { url?: string } }
        const upload = parseUploadUrl(asked?.url ?? '')
        if (upload !== null) keys.add(upload.key)
      }
      cursor = page.nextCursor
      if (cursor === null) break
    }
  }
  return keys
}

const LIVE_IMPORTS = {
  kind: ['import'],
  status: ['pending', 'queued', 'running', 'cancelling'],
} as const satisfies Parameters<Store['listJobs']>[0]['filters']
