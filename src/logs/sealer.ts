import { setTimeout as delay } from 'node:timers/promises'
import type { BlobStore } from '../blobs/blob-store.ts'
import { isDiskFull } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Lease } from '../model/job.ts'
import { INLINE_LOG_BYTES, type LogPart } from '../model/log-line.ts'
import type { Store } from '../store/store.ts'
import { inline, SEGMENT_BYTES, seal } from './seal.ts'
import { inlinePart, type TailSharer } from './share-tail.ts'
import type { Spool } from './spool.ts'
import type { SpoolFile } from './spool-file.ts'

const RETRY_MS = 500

/** Reused buffers for reading files before compression: allocating hundreds per second would keep the garbage collector busy. */
const spareMemory: Buffer[] = []
const KEPT_MEMORY = 2

type Options = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly logger: Logger
  readonly lease: Lease
  readonly spool: Spool
  /** Set if other processes read the log too. */
  readonly sharer: TailSharer | null
  /** Called when the lease is lost: nothing more may be written. */
  readonly onLost: () => void
}

/**
 * Moves full spool files, one by one, to the blob store and records them in the store, fenced by the lease. Retries while either of them fails; meanwhile
 * the job's pipe blocks.
 */
export class Sealer {
  readonly #options: Options
  /** Segments that are or will soon be in the blob store, but not yet recorded in the store. */
  readonly #sealed = new Map<SpoolFile, Promise<LogPart>>()
  readonly #waiting: SpoolFile[] = []
  readonly #stopping = new AbortController()
  #working: Promise<void> | null = null

  constructor(options: Options) {
    this.#options = options
  }

  /** True while full files wait to be sealed. */
  get busy(): boolean {
    return this.#waiting.length > 0
  }

  add(file: SpoolFile): void {
    this.#waiting.push(file)
    this.#working ??= this.#work()
  }

  /** Finishes the work in flight, then returns the parts of all files still in the spool. */
  async finish(): Promise<LogPart[]> {
    // An explicit reason, because creating the default one costs more than the rest of a short log.
    this.#stopping.abort('the attempt ends')
    await this.#working
    const parts: LogPart[] = []
    for (const file of [...this.#options.spool.files]) {
      if (file.extent !== null && file.extent.nextSeq > file.extent.firstSeq) parts.push(...(await this.#last(file)))
    }
    return parts
  }

  /** The parts of a file that remain to be stored when the attempt ends. */
  async #last(file: SpoolFile): Promise<LogPart[]> {
    const { lease, sharer, logger } = this.#options
    const shared = sharer?.sharedBytes(file) ?? 0
    try {
      const small = file.size <= INLINE_LOG_BYTES && !this.#sealed.has(file)
      if (!small && sharer?.hasShared(file) !== true) return [await this.#sealOnce(file)]
      if (!small) return await this.#replaceShared(file)
    } catch (error) {
      logger.warn(
        { err: error, job_id: lease.jobId },
        'the end of a log could not be sealed; it goes into the database',
      )
    }
    const rest = inlinePart(lease.attempt, await file.readSince(shared))
    return rest === null ? [] : [rest]
  }

  async #replaceShared(file: SpoolFile): Promise<LogPart[]> {
    await this.#store(file)
    return []
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stopping.signal.aborted) {
      const file = this.#waiting[0]!
      try {
        await this.#move(file)
        this.#waiting.shift()
      } catch (error) {
        if (isDiskFull(error)) return this.#options.spool.fail(error as Error)
        this.#options.logger.warn(
          { err: error, job_id: this.#options.lease.jobId },
          'a log segment could not be sealed',
        )
        await delay(RETRY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {})
      }
    }
    this.#working = null
  }

  async #move(file: SpoolFile): Promise<void> {
    if (await this.#store(file)) await this.#options.spool.release(file)
    else this.#options.onLost()
  }

  async #store(file: SpoolFile): Promise<boolean> {
    const { store, lease, sharer } = this.#options
    const sealing = this.#sealOnce(file)
    // Start packing the next file while this one is stored: most of the time is spent waiting for the disk.
    const following = this.#waiting[1]
    if (following !== undefined) this.#sealOnce(following).catch(() => {})
    const part = await sealing
    await sharer?.settled()
    const replacing = sharer?.hasShared(file) === true ? { replacesFrom: part.firstSeq } : {}
    const { applied } = await store.addLogParts({ lease, parts: [part], ...replacing })
    this.#sealed.delete(file)
    return applied
  }

  #sealOnce(file: SpoolFile): Promise<LogPart> {
    const known = this.#sealed.get(file)
    if (known !== undefined) return known
    const sealing = this.#seal(file)
    this.#sealed.set(file, sealing)
    sealing.catch(() => this.#sealed.delete(file))
    return sealing
  }

  /** On a full disk, removing the spool file makes room for its smaller segment. Done only once the log has failed. */
  async #seal(file: SpoolFile): Promise<LogPart> {
    const { blobs, lease, spool } = this.#options
    const memory = spareMemory.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES * 1.75)
    const content = { blobs, attempt: lease.attempt, bytes: await file.readSince(0, memory), extent: file.extent! }
    try {
      const part = await seal(content)
      if (spareMemory.length < KEPT_MEMORY) spareMemory.push(memory)
      return part
    } catch (error) {
      if (!isDiskFull(error) || spool.fault === null) throw error
      await spool.release(file)
      return seal(content).catch(() => inline(content))
    }
  }
}
