import type { BlobStore } from '../blobs/blob-store.ts'
import { keysOfLiveUploads } from '../data/uploads.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store } from '../store/store.ts'
import { createLoop } from './loop.ts'

/** What one run deleted. */
type GarbageCounts = { readonly doomed: number; readonly orphans: number }

export interface GarbageCollector {
  start(): void
  /** Idempotent. Resolves when nothing is running any more. */
  stop(): Promise<void>
  /** Deletes everything that can be deleted now. */
  runOnce(): Promise<GarbageCounts>
  /** Signals that there are doomed blobs whose space is wanted. */
  wake(): void
}

type CollectorOptions = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly logger: Logger
}

const DOOMED_EVERY_MS = 60_000
/** Backoff after failures. Every run retries each blob that cannot be deleted, and there may be many. */
const LONGEST_BACKOFF_MS = 15 * 60_000
/** Rare, because it scans all blobs, and only a crash leaves orphans. */
const ORPHANS_EVERY_MS = 6 * 3_600_000
/** A younger blob may be uploaded but not yet made visible by its statement. */
const ORPHAN_AGE_MS = 24 * 3_600_000
const BATCH = 500

/** Deletes unreferenced blobs: those the store lists as doomed, and those a crash left between upload and store. */
export const createGarbageCollector = (options: CollectorOptions): GarbageCollector => {
  const { logger, clock } = options
  const loops = [
    createLoop({
      name: 'collection of doomed blobs',
      intervalMs: DOOMED_EVERY_MS,
      longestBackoffMs: LONGEST_BACKOFF_MS,
      runOnce: async signal => {
        await collectDoomed(options, signal)
        return null
      },
      logger,
      clock,
    }),
    createLoop({
      name: 'collection of orphaned blobs',
      intervalMs: ORPHANS_EVERY_MS,
      runOnce: async signal => {
        await collectOrphans(options, signal)
        return null
      },
      logger,
      clock,
    }),
  ]
  return {
    start: () => {
      for (const loop of loops) loop.start()
    },
    stop: async () => {
      await Promise.all(loops.map(loop => loop.stop()))
    },
    runOnce: async () => ({ doomed: await collectDoomed(options), orphans: await collectOrphans(options) }),
    wake: () => loops[0]!.wake(),
  }
}

/**
 * Deletes the content first, then its record. A crash in between repeats the deletion, and deleting twice is no error, even from two servers at once.
 * A blob that cannot be deleted keeps its record; the others are still deleted.
 */
const collectDoomed = async ({ store, blobs }: CollectorOptions, signal?: AbortSignal): Promise<number> => {
  let count = 0
  let firstFault: Fault | null = null
  let cursor: number | null = null
  do {
    const page = await store.listDoomedBlobs({ limit: BATCH, cursor })
    const { deleted, fault, isAway } = await deleteEach(blobs, page.keys, signal)
    await store.forgetDoomedBlobs({ keys: deleted })
    count += deleted.length
    firstFault ??= fault
    cursor = isAway ? null : page.cursor
  } while (cursor !== null && !signal?.aborted)
  if (firstFault !== null) throw firstFault.error
  return count
}

const collectOrphans = async (options: CollectorOptions, signal?: AbortSignal): Promise<number> => {
  const { store, blobs, clock, logger } = options
  let count = 0
  let firstFault: Fault | null = null
  for await (const keys of blobs.listOlderThan(clock.now() - ORPHAN_AGE_MS)) {
    if (signal?.aborted) break
    const known = new Set(await store.filterKnownBlobs({ keys }))
    const unknown = keys.filter(key => !known.has(key))
    const uploads = unknown.length === 0 ? null : await keysOfLiveUploads(store)
    const orphans = unknown.filter(key => uploads?.has(key) !== true)
    const { deleted, fault, isAway } = await deleteEach(blobs, orphans, signal)
    count += deleted.length
    firstFault ??= fault
    if (isAway) break
  }
  if (count > 0) logger.info({ count }, 'deleted blobs that a crash had left')
  if (firstFault !== null) throw firstFault.error
  return count
}

type Fault = { readonly error: unknown }

/** `isAway`: the blob store is down, so there is no point in trying the rest. */
type Deletion = { readonly deleted: readonly string[]; readonly fault: Fault | null; readonly isAway: boolean }

/** After this many failures in a row, check whether the store is down. */
const FAULTS_IN_A_ROW = 10

/** A blob that cannot be deleted does not block the others. Returns the first fault. */
const deleteEach = async (
  blobs: BlobStore,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Deletion> => {
  const deleted: string[] = []
  let fault: Fault | null = null
  let inARow = 0
  for (const key of keys) {
    if (signal?.aborted) break
    if (inARow === FAULTS_IN_A_ROW) {
      if (!(await isUp(blobs))) return { deleted, fault, isAway: true }
      inARow = 0
    }
    try {
      await blobs.delete(key)
      deleted.push(key)
      inARow = 0
    } catch (error) {
      fault ??= { error }
      inARow += 1
    }
  }
  return { deleted, fault, isAway: false }
}

const isUp = (blobs: BlobStore): Promise<boolean> =>
  blobs.ping().then(
    () => true,
    () => false,
  )
