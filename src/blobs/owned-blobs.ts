import { unlessAborted } from '../kernel/unless-aborted.ts'
import type { BlobStore } from './blob-store.ts'
import { findStranger, type OwnedPlace, requireOwn, type Settings } from './owned-place.ts'
import { remembering } from './remembering.ts'

type Options = {
  readonly place: OwnedPlace
  readonly settings: Settings
  /** Called once the place is known to belong to this store, and retried only after a failure. Nothing is created there before that. */
  readonly open: () => Promise<BlobStore>
}

const NEVER = new AbortController().signal

/**
 * The blobs of a store, in a place that bears its id (`owned-place.ts`). While the place is a different one, or a folder is not mounted, every operation throws
 * `storage_unavailable`, and nothing is written, deleted or considered an orphan there. Recovers once the place is back. Does no I/O yet.
 */
export const ownedBlobs = ({ place, settings, open }: Options): BlobStore => {
  let id: string | null = null
  let opened: BlobStore | null = null
  let isOwn = false

  const look = remembering(async () => {
    const fault = id === null ? null : await findStranger(place, id)
    // If the place cannot be read, `isOwn` stays unchanged: a writer makes its own attempts.
    isOwn = isOwn && fault === null
    if (fault !== null) throw fault
    id ??= await requireOwn(place, settings)
    opened ??= await open()
    isOwn = true
  }, place.keptMs)

  const looked = async (): Promise<BlobStore> => {
    await look()
    return opened!
  }
  /** For writes and deletions. */
  const own = async (): Promise<BlobStore> => (isOwn && place.stays ? opened! : looked())

  return {
    put: async (content, options = {}) => {
      const blobs = await unlessAborted(options.signal ?? NEVER, own())
      return blobs.put(content, options)
    },
    get: async (key, part) => {
      const content = await (opened ?? (await looked())).get(key, part)
      // If this is a different place, throw: the blob is not gone.
      if (content === null) await look()
      return content
    },
    delete: async key => (await own()).delete(key),
    presign: async (key, how) => (opened ?? (await looked())).presign(key, how),
    listOlderThan: async function* (time) {
      yield* (await looked()).listOlderThan(time)
    },
    ping: async () => (await looked()).ping(),
  }
}
