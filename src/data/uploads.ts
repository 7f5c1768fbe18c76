import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { BlobStore, StoredBlob } from '../blobs/blob-store.ts'
import type { Store } from '../store/store.ts'

/**
 * Content that a caller has sent, on its way to the import job that reads it. It lies in the blob store, where every worker
 * reaches it, under an address `upload:<key>.<size>.<signature>` that stands in the job's body. The signature is of this
 * installation and for one workspace: nobody can name another blob with it. An import that has completed removes its upload;
 * for all others garbage collection does, once the job has ended and the content is a day old (`keysOfLiveUploads`).
 */
export interface Uploads {
  /** Streams to the end. Rejects as `BlobStore.put`: `too_large` (`MillraceError`) beyond `maxBytes`, ENOSPC; then nothing stays. */
  put(input: {
    workspace: string
    content: AsyncIterable<Uint8Array>
    maxBytes: number
  }): Promise<{ readonly url: string; readonly bytes: number }>
  /** null: it was never made here for this workspace, or it is gone. */
  open(input: { workspace: string; url: string; start?: number }): Promise<OpenUpload | null>
  /** One that is gone is no error, nor is an address that is none of ours. */
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

/** Its signature is still to be checked. */
const parseUploadUrl = (url: string): (UploadName & { readonly signature: string }) | null => {
  const match = /^upload:([0-9a-f]{32})\.(\d{1,16})\.([A-Za-z0-9_-]{43})$/.exec(url)
  return match === null ? null : { key: match[1]!, size: Number(match[2]), signature: match[3]! }
}

const PAGE = 500

/**
 * Keys of the uploads that import jobs still have to read: they may wait for longer than the age at which a blob that nothing
 * refers to counts as an orphan. Jobs of every workspace are asked for; those that have not ended are few.
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
