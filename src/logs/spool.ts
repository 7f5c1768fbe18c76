import type { ChunkHeader } from './chunk.ts'
import { ChunkBatch } from './chunk-batch.ts'
import { SEGMENT_BYTES } from './seal.ts'
import { SpoolFile } from './spool-file.ts'

/**
 * Encoded output that may wait for the disk; beyond it the job's pipe waits. Two batches exist: one fills, one is written.
 * Large, because a write is a visit to another thread, and those take long on a busy machine.
 */
const MAX_WAITING_BYTES = 2 * 1024 * 1024

/** Full files that may wait for being sealed; beyond it the disk waits, and soon the job's pipe. */
const MAX_UNSEALED_FILES = 3

type Options = {
  /** Path of the file with that number. */
  readonly fileFor: (number: number) => Promise<string>
  readonly firstSeq: number
  /** More can be read. */
  readonly onWritten: () => void
  /** A file is full and wants to be sealed, then `release`d. */
  readonly onFull: (file: SpoolFile) => void
}

/** The unsealed end of an attempt's log: chunks on their way to a row of spool files, and readable from there. */
export class Spool {
  readonly #options: Options
  readonly #files: SpoolFile[] = []
  #nextNumber = 0
  #growing: SpoolFile | null = null
  #filling = new ChunkBatch()
  #writing = new ChunkBatch()
  #flushing: Promise<void> | null = null
  #fault: Error | null = null
  #closed = false
  #cutAsked = false
  /** While finishing, the little that is left is written without waiting for sealing. */
  #finishing = false
  #room: PromiseWithResolvers<void> | null = null
  #release: PromiseWithResolvers<void> | null = null
  #firstUnsealedSeq: number
  #nextReadableSeq: number

  constructor(options: Options) {
    this.#options = options
    this.#firstUnsealedSeq = options.firstSeq
    this.#nextReadableSeq = options.firstSeq
  }

  /** What went wrong with the disk; nothing is taken after it. */
  get fault(): Error | null {
    return this.#fault
  }

  /** Files that are not yet stored elsewhere, in order; the last one may still grow. */
  get files(): readonly SpoolFile[] {
    return this.#files
  }

  /** The file that lines are added to now, when there is one. */
  get growing(): SpoolFile | null {
    return this.#growing
  }

  /** True when that line can be read here. */
  holds(seq: number): boolean {
    return this.#firstUnsealedSeq <= seq && seq < this.#nextReadableSeq
  }

  get nextReadableSeq(): number {
    return this.#nextReadableSeq
  }

  add(header: ChunkHeader, text: Uint8Array): void {
    if (!this.#closed) this.#filling.add(header, text)
  }

  /** Starts writing what was added. A promise means that enough waits for the disk: wait for it before adding more. */
  flush(): void | Promise<void> {
    if (this.#closed || this.#filling.size === 0) return
    this.#flushing ??= this.#run()
    if (this.#filling.size < MAX_WAITING_BYTES) return
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** Declares the growing file full, after the write that is under way: the next lines go into a new one. */
  cut(): void {
    if (this.#flushing === null) this.#cutNow()
    else this.#cutAsked = true
  }

  /** Resolves when everything added has been written, or nothing more can be. */
  async drain(): Promise<void> {
    this.#finishing = true
    this.#release?.resolve()
    while (this.#flushing !== null) await this.#flushing
  }

  /** Chunks from the one that holds that line on; null when it is not here (any more). */
  async read(seq: number, maxBytes: number): Promise<Buffer | null> {
    const file = this.#files.find(candidate => candidate.holds(seq))
    return file === undefined ? null : file.readFrom(seq, maxBytes)
  }

  /** The file's lines are stored elsewhere. */
  async release(file: SpoolFile): Promise<void> {
    const at = this.#files.indexOf(file)
    if (at < 0) return
    this.#files.splice(at, 1)
    if (this.#growing === file) this.#growing = null
    if (file.extent !== null) this.#firstUnsealedSeq = file.extent.nextSeq
    this.#release?.resolve()
    this.#release = null
    await file.remove()
  }

  /** As `close`, because of an error that the next writer is to be told. */
  fail(error: Error): void {
    this.#fault ??= error
    this.close()
  }

  /** Takes nothing more and forgets what has not been written; those who wait are let go. */
  close(): void {
    this.#closed = true
    this.#filling.clear()
    this.#release?.resolve()
    this.#room?.resolve()
  }

  async #run(): Promise<void> {
    try {
      while (this.#filling.size > 0) {
        if (this.#files.length > MAX_UNSEALED_FILES && !this.#finishing) await this.#waitForRelease()
        else await this.#writeBatch()
      }
    } catch (error) {
      this.fail(error as Error)
    } finally {
      this.#flushing = null
    }
  }

  async #waitForRelease(): Promise<void> {
    this.#release ??= Promise.withResolvers()
    await this.#release.promise
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#filling
    this.#filling = this.#writing
    this.#writing = batch
    this.#room?.resolve()
    this.#room = null
    try {
      const file = await this.#fileToGrow()
      await this.#append(file, batch)
    } finally {
      batch.clear()
    }
  }

  async #append(file: SpoolFile, batch: ChunkBatch): Promise<void> {
    try {
      await file.append(batch)
    } finally {
      if (file.extent !== null) this.#nextReadableSeq = file.extent.nextSeq
      this.#options.onWritten()
    }
    if (file.size >= SEGMENT_BYTES || this.#cutAsked) this.#cutNow()
  }

  #cutNow(): void {
    this.#cutAsked = false
    const file = this.#growing
    if (file === null || this.#finishing) return
    this.#growing = null
    this.#options.onFull(file)
  }

  async #fileToGrow(): Promise<SpoolFile> {
    if (this.#growing !== null) return this.#growing
    const file = await SpoolFile.create(await this.#options.fileFor(this.#nextNumber++))
    this.#files.push(file)
    this.#growing = file
    return file
  }
}
