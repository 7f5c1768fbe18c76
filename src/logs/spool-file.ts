import fs, { constants } from 'node:fs'
import { promisify } from 'node:util'
import { chunksIn, nextSeqOf } from './chunk.ts'
import { type ChunkBatch, type Extent, extentOf, joinExtents } from './chunk-batch.ts'

// Plain descriptors cost less per call than a FileHandle, and one left open does not crash the process.
const open = promisify(fs.open)
const close = promisify(fs.close)
const unlink = promisify(fs.unlink)
const read = promisify(fs.read)
const writev = promisify(fs.writev)

/** Bytes per index entry: what a reader skips at most to find its line. */
const INDEX_EVERY_BYTES = 4096

/**
 * One append-only file of chunks, which will become one segment. Written without fsync: the page cache survives a crash of the server, and what must survive
 * a crash of the machine is sealed. Readers can read what is already written while more is being written.
 */
export class SpoolFile {
  readonly path: string
  readonly #fd: number
  readonly #index: { readonly seq: number; readonly offset: number }[] = []
  #size = 0
  #extent: Extent | null = null
  #readers = 0
  #removed = false
  #closed = false

  private constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  static async create(path: string): Promise<SpoolFile> {
    return new SpoolFile(path, await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600))
  }

  /** Number of readable bytes. */
  get size(): number {
    return this.#size
  }

  get extent(): Extent | null {
    return this.#extent
  }

  holds(seq: number): boolean {
    return this.#extent !== null && this.#extent.firstSeq <= seq && seq < this.#extent.nextSeq
  }

  /** Rejects with the system's error, typically ENOSPC. Even then, chunks that were written completely are readable. */
  async append(batch: ChunkBatch): Promise<void> {
    const written = { bytes: 0 }
    const buffers = batch.buffers
    try {
      await this.#writeAll(buffers, written)
    } finally {
      this.#admit(buffers, written.bytes, batch)
    }
  }

  /** Chunks starting with the one that contains `seq`, about `maxBytes`. null if the file does not contain it. */
  async readFrom(seq: number, maxBytes: number): Promise<Buffer | null> {
    if (!this.holds(seq) || this.#removed) return null
    const start = this.#offsetBefore(seq)
    for (let wanted = maxBytes; ; wanted *= 2) {
      const bytes = await this.#read(start, Math.min(this.#size, start + wanted))
      for (const chunk of chunksIn(bytes)) if (nextSeqOf(chunk) > seq) return bytes.subarray(chunk.offset)
    }
  }

  /** Bytes from an offset to the end: complete chunks if the offset is a former `size`. Uses `memory` if it is large enough. */
  async readSince(offset: number, memory?: Buffer): Promise<Buffer> {
    return this.#read(offset, this.#size, memory)
  }

  /** Frees the disk space at once. A read in flight still completes. */
  async remove(): Promise<void> {
    if (this.#removed) return
    this.#removed = true
    await unlink(this.path).catch(() => {})
    await this.#closeUnused()
  }

  /** Close only once: the descriptor may already have been reused for another file. */
  async #closeUnused(): Promise<void> {
    if (!this.#removed || this.#readers > 0 || this.#closed) return
    this.#closed = true
    await close(this.#fd)
  }

  async #writeAll(buffers: readonly Buffer[], written: { bytes: number }): Promise<void> {
    let rest = [...buffers]
    while (rest.length > 0) {
      const { bytesWritten } = await writev(this.#fd, rest, this.#size + written.bytes)
      written.bytes += bytesWritten
      rest = afterBytes(rest, bytesWritten)
    }
  }

  #admit(buffers: readonly Buffer[], written: number, batch: ChunkBatch): void {
    const whole = written === batch.size
    let before = 0
    for (const buffer of buffers) {
      for (const chunk of chunksIn(buffer.subarray(0, Math.max(0, written - before)))) {
        this.#note(chunk.firstSeq)
        this.#size += chunk.end - chunk.offset
        if (!whole) this.#extent = joinExtents(this.#extent, extentOf(chunk))
      }
      before += buffer.length
    }
    if (whole) this.#extent = joinExtents(this.#extent, batch.extent!)
  }

  #note(seq: number): void {
    const last = this.#index.at(-1)
    if (last === undefined || this.#size - last.offset >= INDEX_EVERY_BYTES)
      this.#index.push({ seq, offset: this.#size })
  }

  #offsetBefore(seq: number): number {
    let low = 0
    let high = this.#index.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#index[middle]!.seq <= seq) low = middle
      else high = middle - 1
    }
    return this.#index[low]!.offset
  }

  async #read(start: number, end: number, memory?: Buffer): Promise<Buffer> {
    if (this.#closed) throw new Error('a spool file was read after its end')
    this.#readers++
    try {
      const size = end - start
      const bytes =
        memory !== undefined && memory.length >= size ? memory.subarray(0, size) : Buffer.allocUnsafeSlow(size)
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await read(this.#fd, bytes, filled, bytes.length - filled, start + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    } finally {
      this.#readers--
      await this.#closeUnused()
    }
  }
}

const afterBytes = (buffers: readonly Buffer[], count: number): Buffer[] => {
  let left = count
  const rest: Buffer[] = []
  for (const buffer of buffers) {
    if (left < buffer.length) rest.push(buffer.subarray(left))
    left = Math.max(0, left - buffer.length)
  }
  return rest
}
