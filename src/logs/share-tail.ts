import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../kernel/logger.ts'
import type { Lease } from '../model/job.ts'
import { INLINE_LOG_BYTES, type LogPart } from '../model/log-line.ts'
import type { Store } from '../store/store.ts'
import { chunksIn } from './chunk.ts'
import { type Extent, extentOf, joinExtents } from './chunk-batch.ts'
import { inline } from './seal.ts'
import type { Spool } from './spool.ts'
import type { SpoolFile } from './spool-file.ts'

/** How often new lines are shared. */
export const SHARE_EVERY_MS = 200
/** After this many small parts, they are merged into one. */
const MERGE_PARTS = 64

type Options = {
  readonly store: Store
  readonly logger: Logger
  readonly lease: Lease
  readonly spool: Spool
  /** True while full files wait to be sealed: their segments would replace anything shared now. */
  readonly isSealing: () => boolean
  readonly onLost: () => void
  readonly shareEveryMs: number
}

/** The part of the growing file that is in the store as inline parts. */
type Shared = {
  readonly file: SpoolFile
  /** Number of bytes of the file that are shared. */
  to: number
  /** Where the parts begin that the next merge replaces, and how many there are. */
  mergeFrom: number
  mergeSeq: number
  parts: number
  /** True if the last part may or may not have been stored: the next one replaces it. */
  uncertain: boolean
}

/**
 * Makes the unsealed end of a log readable for other processes: every 200 ms, new lines go into the store as an inline part. If they exceed the size of an
 * inline part, the file is cut and sealed instead. Sealing replaces the parts.
 */
export class TailSharer {
  readonly #options: Options
  readonly #everShared = new WeakSet<SpoolFile>()
  readonly #stopping = new AbortController()
  #shared: Shared | null = null
  #working: Promise<void> | null = null
  #asked = false
  #storing: Promise<void> | null = null

  constructor(options: Options) {
    this.#options = options
  }

  /** Signals new lines. */
  wake(): void {
    this.#asked = true
    if (!this.#stopping.signal.aborted) this.#working ??= this.#work()
  }

  hasShared(file: SpoolFile): boolean {
    return this.#everShared.has(file)
  }

  /** Number of bytes at the start of the file that are in the store. */
  sharedBytes(file: SpoolFile): number {
    return this.#shared?.file === file ? this.#shared.to : 0
  }

  /** Resolves when no part is in flight, because parts must reach the store in order. */
  async settled(): Promise<void> {
    await this.#storing
  }

  /** Afterwards `sharedBytes` is reliable. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#working
    if (this.#shared?.uncertain) await this.#share(this.#shared.file)
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping
    let seen = -1
    while (this.#asked && !signal.aborted) {
      this.#asked = false
      const grown = this.#pendingBytes()
      const fast = grown > INLINE_LOG_BYTES && grown !== seen
      seen = grown
      if (fast) this.#asked = true
      else await this.#shareOrCut()
      await delay(this.#options.shareEveryMs, undefined, { signal }).catch(() => {})
    }
    this.#working = null
  }

  #pendingBytes(): number {
    const file = this.#options.spool.growing
    return file === null ? 0 : file.size - this.sharedBytes(file)
  }

  async #shareOrCut(): Promise<void> {
    const { spool, isSealing } = this.#options
    const file = spool.growing
    if (isSealing()) this.#asked = true
    if (file === null || isSealing()) return
    if (this.#pendingBytes() > INLINE_LOG_BYTES) return spool.cut()
    this.#storing = this.#share(file)
    await this.#storing
    this.#storing = null
  }

  async #share(file: SpoolFile): Promise<void> {
    if (this.#shared?.file !== file)
      this.#shared = { file, to: 0, mergeFrom: 0, mergeSeq: file.extent!.firstSeq, parts: 0, uncertain: false }
    const shared = this.#shared
    const merging = shared.uncertain || shared.parts >= MERGE_PARTS
    const bytes = await file.readSince(merging ? shared.mergeFrom : shared.to)
    const part = inlinePart(this.#options.lease.attempt, bytes)
    if (part === null) return
    this.#everShared.add(file)
    try {
      const { store, lease, onLost } = this.#options
      const { applied } = await store.addLogParts({
        lease,
        parts: [part],
        ...(merging && { replacesFrom: shared.mergeSeq }),
      })
      if (!applied) return onLost()
      this.#noteShared(shared, { size: bytes.length, nextSeq: part.lastSeq + 1, merged: merging })
    } catch (error) {
      this.#options.logger.warn(
        { err: error, job_id: this.#options.lease.jobId },
        'the end of a log could not be shared',
      )
      shared.uncertain = true
      this.#asked = true
    }
  }

  #noteShared(shared: Shared, added: { size: number; nextSeq: number; merged: boolean }): void {
    shared.uncertain = false
    shared.to = (added.merged ? shared.mergeFrom : shared.to) + added.size
    shared.parts = added.merged ? 1 : shared.parts + 1
    if (!added.merged || shared.to - shared.mergeFrom <= INLINE_LOG_BYTES / 2) return
    shared.mergeFrom = shared.to
    shared.mergeSeq = added.nextSeq
    shared.parts = 0
  }
}

/** Complete chunks as an inline part, or null if they contain no line. */
export const inlinePart = (attempt: number, bytes: Buffer): LogPart | null => {
  let extent: Extent | null = null
  for (const chunk of chunksIn(bytes)) extent = joinExtents(extent, extentOf(chunk))
  return extent === null || extent.nextSeq === extent.firstSeq ? null : inline({ attempt, bytes, extent })
}
