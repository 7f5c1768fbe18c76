import type { BlobStore } from '../blobs/blob-store.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Lease } from '../model/job.ts'
import { LOG_STREAMS, type LogPart, type LogStream } from '../model/log-line.ts'
import type { Store } from '../store/store.ts'
import type { ChunkEnding } from './chunk.ts'
import { LineCutter } from './cut-lines.ts'
import type { AttemptLog } from './job-logs.ts'
import { Masker, maskText } from './masker.ts'
import { countNewlines } from './newlines.ts'
import { Sealer } from './sealer.ts'
import { SHARE_EVERY_MS, TailSharer } from './share-tail.ts'
import { sizeText } from './size-text.ts'
import { Spool } from './spool.ts'
import type { SpoolFolder } from './spool-folder.ts'
import { storedParts } from './stored-parts.ts'

const NEWLINE = 10
/** An unfinished line is spooled after this time, so that a crash does not lose it. */
const PARTIAL_AFTER_MS = 10

export type AttemptLogOptions = {
  readonly store: Store
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly logger: Logger
  readonly folder: SpoolFolder
  readonly maxBytes: number
  readonly shareTails: boolean
  readonly shareEveryMs?: number
  readonly workspace: string
  readonly lease: Lease
  readonly firstSeq: number
  readonly mask: readonly string[]
  readonly onWritten: () => void
  readonly onDisposed: () => void
}

type Lane = { readonly masker: Masker | null; readonly cutter: LineCutter; partialKept: number }

/**
 * The log of a running attempt: bytes → masked → cut into groups of lines → chunks → spool → segments. A line becomes readable when it ends; a last line
 * without a newline, when its stream ends.
 */
export class SpooledAttemptLog implements AttemptLog {
  readonly workspace: string
  readonly lease: Lease
  readonly #options: AttemptLogOptions
  readonly #makeMasker: (() => Masker) | null
  readonly #lanes: Readonly<Record<LogStream, Lane>>
  readonly #spool: Spool
  readonly #sealer: Sealer
  readonly #sharer: TailSharer | null
  #nextSeq: number
  /** Bytes the job may still log. null while the size of its earlier attempts' logs is being queried. */
  #room: number | null
  readonly #askingRoom: Promise<void> | null
  #full = false
  #partialTimer: NodeJS.Timeout | null = null
  #finished: Promise<readonly LogPart[]> | null = null

  constructor(options: AttemptLogOptions) {
    const { lease, folder, firstSeq, mask } = options
    this.#options = options
    this.workspace = options.workspace
    this.lease = lease
    this.#nextSeq = firstSeq
    this.#makeMasker = Masker.for(mask)
    this.#lanes = { stdout: this.#newLane('stdout'), stderr: this.#newLane('stderr') }
    this.#spool = new Spool({
      firstSeq,
      fileFor: number => folder.fileFor({ jobId: lease.jobId, attempt: lease.attempt, number }),
      onWritten: () => this.#written(),
      onFull: file => this.#sealer.add(file),
    })
    const onLost = () => this.#spool.close()
    const shared = { ...options, spool: this.#spool, onLost }
    this.#sharer = options.shareTails ? this.#newSharer(shared) : null
    this.#sealer = new Sealer({ ...shared, sharer: this.#sharer })
    this.#room = firstSeq === 1 ? options.maxBytes : null
    this.#askingRoom = firstSeq === 1 ? null : this.#askRoom()
  }

  get fault(): Error | null {
    return this.#spool.fault
  }

  write(stream: LogStream, bytes: Uint8Array): void | Promise<void> {
    if (this.#room === null) return this.#askingRoom!.then(() => this.write(stream, bytes))
    if (this.fault !== null) return Promise.reject(this.fault)
    if (this.#full || this.#finished !== null) return
    this.#take(this.#lanes[stream], Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    return this.#flush()
  }

  note(text: string): void | Promise<void> {
    if (this.fault !== null) return Promise.reject(this.fault)
    if (this.#finished !== null) return
    this.#note(text)
    return this.#flush()
  }

  finish(): Promise<readonly LogPart[]> {
    this.#finished ??= this.#finish()
    return this.#finished
  }

  async dispose(): Promise<void> {
    await this.finish()
    await Promise.all([...this.#spool.files].map(file => this.#spool.release(file)))
    this.#options.onDisposed()
  }

  /** True if the line can be read here. */
  holds(seq: number): boolean {
    return this.#spool.holds(seq)
  }

  /** The seq after the last line readable here. */
  get nextReadableSeq(): number {
    return this.#spool.nextReadableSeq
  }

  /** Chunks starting with the one that contains the line. null if it is not here, or no longer. */
  read(seq: number, maxBytes: number): Promise<Buffer | null> {
    return this.#spool.read(seq, maxBytes)
  }

  #newSharer(options: AttemptLogOptions & { spool: Spool; onLost: () => void }): TailSharer {
    const { shareEveryMs = SHARE_EVERY_MS } = options
    return new TailSharer({ ...options, shareEveryMs, isSealing: () => this.#sealer.busy })
  }

  #newLane(stream: LogStream): Lane {
    const cutter = new LineCutter((text, ending) => this.#addLines(stream, text, ending))
    return { masker: this.#makeMasker?.() ?? null, cutter, partialKept: 0 }
  }

  #take(lane: Lane, bytes: Buffer): void {
    lane.cutter.push(lane.masker === null ? bytes : lane.masker.push(bytes))
    if (lane.cutter.partial.length > lane.partialKept)
      this.#partialTimer ??= setTimeout(() => this.#keepPartials(), PARTIAL_AFTER_MS)
  }

  #flush(): void | Promise<void> {
    return this.#spool.flush()?.then(() => {
      if (this.fault !== null) throw this.fault
    })
  }

  #written(): void {
    this.#sharer?.wake()
    this.#options.onWritten()
  }

  #addLines(stream: LogStream, text: Buffer, ending: ChunkEnding): void {
    this.#lanes[stream].partialKept = 0
    if (this.#full) return
    const kept = text.length + 1 <= this.#room! ? text : this.#linesThatFit(text)
    if (kept !== null) this.#add(stream, kept, kept === text ? ending : 'newline')
    if (kept === text) this.#room! -= text.length + 1
    else this.#close()
  }

  #linesThatFit(text: Buffer): Buffer | null {
    const end = this.#room! > 0 ? text.lastIndexOf(NEWLINE, this.#room! - 1) : -1
    return end < 0 ? null : text.subarray(0, end)
  }

  /** The limit is reached: from now on output is read and discarded. */
  #close(): void {
    this.#full = true
    this.#note(`log limit of ${sizeText(this.#options.maxBytes)} reached; the rest of the output is not kept`)
  }

  #note(text: string): void {
    const masked = maskText(this.#makeMasker, text)
    for (const line of masked.split('\n')) this.#add('stderr', Buffer.from(`millrace: ${line}`), 'newline')
  }

  #add(stream: LogStream, text: Buffer, ending: ChunkEnding): void {
    const count = ending === 'partial' ? 0 : countNewlines(text) + 1
    const timestamp = this.#options.clock.now()
    const { attempt } = this.lease
    this.#spool.add({ stream, ending, attempt, firstSeq: this.#nextSeq, count, timestamp }, text)
    this.#nextSeq += count
  }

  /** Adds new bytes of unfinished lines to the spool, for `recover.ts`. */
  #keepPartials(): void {
    this.#partialTimer = null
    for (const stream of LOG_STREAMS) {
      const lane = this.#lanes[stream]
      const fresh = lane.cutter.partial.subarray(lane.partialKept)
      if (fresh.length === 0 || this.#full || this.#finished !== null) continue
      lane.partialKept += fresh.length
      this.#add(stream, fresh, 'partial')
    }
    void this.#spool.flush()
  }

  async #finish(): Promise<readonly LogPart[]> {
    await this.#askingRoom
    for (const { masker, cutter } of Object.values(this.#lanes)) {
      if (masker !== null) cutter.push(masker.end())
      cutter.end()
    }
    if (this.#partialTimer !== null) clearTimeout(this.#partialTimer)
    void this.#spool.flush()
    await this.#spool.drain()
    await this.#sharer?.stop()
    return this.#sealer.finish()
  }

  async #askRoom(): Promise<void> {
    const { store, workspace, lease, maxBytes, logger } = this.#options
    let used = 0
    try {
      for await (const part of storedParts(store, { workspace, jobId: lease.jobId })) used += part.bytes
    } catch (error) {
      logger.warn({ err: error, job_id: lease.jobId }, 'the size of a log is unknown; its limit counts from here')
    }
    this.#room = maxBytes - used
  }
}
