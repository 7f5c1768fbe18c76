import { type LogLine, MAX_LINE_BYTES } from '../model/log-line.ts'
import { chunksIn, nextSeqOf } from './chunk.ts'
import { linesOf } from './decode-lines.ts'
import type { LogBatch } from './job-logs.ts'
import type { ChunkRead, ChunkReader } from './read-chunks.ts'

/** Limits of a batch, which is what one follower gets at once and what all followers at the same position share. */
const BATCH_LINES = 2048
const BATCH_BYTES = 4 * MAX_LINE_BYTES
const KEPT_BATCHES = 24

type Lines = Extract<LogBatch, { type: 'lines' }>
type Place = { readonly workspace: string; readonly jobId: string; readonly fromSeq: number }
export type BatchRead = Lines | Exclude<ChunkRead, { type: 'chunks' }>

/**
 * Caches batches of lines by their start. Followers of the same log soon reach the same positions, so one read and encoding serves them all. A follower
 * that has fallen behind reads from disk again.
 */
export class LineBatches {
  readonly #reader: ChunkReader
  readonly #kept = new Map<string, Promise<BatchRead>>()
  #followers = 0

  constructor(reader: ChunkReader) {
    this.#reader = reader
  }

  /** Batches are cached while there are followers. */
  join(): Disposable {
    this.#followers++
    return {
      [Symbol.dispose]: () => {
        this.#followers--
        if (this.#followers === 0) this.#kept.clear()
      },
    }
  }

  async read(place: Place): Promise<BatchRead> {
    const key = `${place.workspace} ${place.jobId} ${place.fromSeq}`
    const known = this.#kept.get(key)
    if (known !== undefined) {
      const read = await known.catch(() => null)
      // That another follower found no lines a moment ago says nothing about now.
      if (read?.type === 'lines') return read
    }
    const reading = this.#load(place)
    this.#keep(key, reading)
    return reading
  }

  #keep(key: string, reading: Promise<BatchRead>): void {
    this.#kept.set(key, reading)
    if (this.#kept.size > KEPT_BATCHES) this.#kept.delete(this.#kept.keys().next().value!)
    const forget = () => this.#kept.get(key) === reading && this.#kept.delete(key)
    reading.then(read => read.type !== 'lines' && forget(), forget)
  }

  async #load(place: Place): Promise<BatchRead> {
    const read = await this.#reader.read(place)
    if (read.type !== 'chunks') return read
    return { type: 'lines', lines: firstLines(read.bytes, place.fromSeq), frames: new Map() }
  }
}

/** The lines of one batch, from `fromSeq`. */
const firstLines = (bytes: Buffer, fromSeq: number): LogLine[] => {
  const lines: LogLine[] = []
  let size = 0
  for (const chunk of chunksIn(bytes)) {
    if (nextSeqOf(chunk) <= fromSeq || chunk.count === 0) continue
    const more = linesOf(chunk, fromSeq, BATCH_LINES - lines.length)
    for (const line of more) lines.push(line)
    size += (chunk.text.length * more.length) / chunk.count
    if (lines.length >= BATCH_LINES || size >= BATCH_BYTES) break
  }
  return lines
}
