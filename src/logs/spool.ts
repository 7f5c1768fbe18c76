import type { ChunkHeader } from './chunk.ts'
import { ChunkBatch } from './chunk-batch.ts'
import { SEGMENT_BYTES } from './seal.ts'
import { SpoolFile } from './spool-file.ts'

/**
 * Limit for encoded output waiting for the disk, beyond which the job's pipe blocks. There are two batches: one is filled while the other is written. Large,
 * because each write is a round trip to another thread, which takes long on a busy machine.
 */
const MAX_WAITING_BYTES = 2 * 1024 * 1024

/** Limit for full files waiting to be sealed. Beyond it, writing stops, and soon the job's pipe blocks. */
const MAX_UNSEALED_FILES = 3

type Options = {
  /** Path of the file with the given number. */
  readonly fileFor: (number: number) => Promise<string>
  readonly firstSeq: number
  /** Called when more can be read. */
  readonly onWritten: () => void
  /** Called when a file is full: it must be sealed and then `release`d. */
  readonly onFull: (file: SpoolFile) => void
}

/** The unsealed end of an attempt's log: chunks on their way to a sequence of spool files, readable from there. */
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
  /** While finishing, the remaining output is written without waiting for sealing. */
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

  /** The disk error, if any. Nothing is accepted after it. */
  get fault(): Error | null {
    return this.#fault
  }

  /** Files not yet stored elsewhere, in order. The last one may still grow. */
  get files(): readonly SpoolFile[] {
    return this.#files
  }

  /** The file to which lines are currently added, if any. */
  get growing(): SpoolFile | null {
    return this.#growing
  }

  /** True if the line can be read here. */
  holds(seq: number): boolean {
    return this.#firstUnsealedSeq <= seq && seq < this.#nextReadableSeq
  }

  get nextReadableSeq(): number {
    return this.#nextReadableSeq
  }

  add(header: ChunkHeader, text: Uint8Array): void {
    if (!this.#closed) this.#filling.add(header, text)
  }

  /** Starts writing what was added. A returned promise means that too much waits for the disk: await it before adding more. */
  flush(): void | Promise<void> {
    if (this.#closed || this.#filling.size === 0) return
    this.#flushing ??= this.#run()
    if (this.#filling.size < MAX_WAITING_BYTES) return
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** Declares the growing file full, after the write in flight. Further lines go into a new file. */
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

  /** Chunks starting with the one that contains the line. null if it is not here, or no longer. */
  async read(seq: number, maxBytes: number): Promise<Buffer | null> {
    const file = this.#files.find(candidate => candidate.holds(seq))
    return file === undefined ? null : file.readFrom(seq, maxBytes)
  }

  /** Call when the file's lines are stored elsewhere. */
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

  /** Like `close`, because of an error that the next write reports. */
  fail(error: Error): void {
    this.#fault ??= error
    this.close()
  }

  /** Accepts nothing more, drops what has not been written, and releases all waiters. */
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
