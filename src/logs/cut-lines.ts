import { isUtf8 } from 'node:buffer'
import { MAX_LINE_BYTES } from '../model/log-line.ts'
import type { ChunkEnding } from './chunk.ts'

const NEWLINE = 10

/** Receives the text of complete lines, separated by `\n` and without the last newline. The bytes are valid UTF-8, and valid only during the call. */
type TakeLines = (text: Buffer, ending: Exclude<ChunkEnding, 'partial'>) => void

/**
 * Cuts a byte stream into groups of complete lines. Holds the bytes after the last newline until the line or the stream ends or the line is too long. A
 * line longer than `MAX_LINE_BYTES` is split into pieces, all but the last marked `continues`. Invalid UTF-8 becomes U+FFFD; a sequence split across two
 * writes stays intact.
 */
export class LineCutter {
  readonly #take: TakeLines
  #held = Buffer.alloc(0)
  #heldBytes = 0

  constructor(take: TakeLines) {
    this.#take = take
  }

  /** The bytes so far of an unfinished line. */
  get partial(): Buffer {
    return this.#held.subarray(0, this.#heldBytes)
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += MAX_LINE_BYTES) this.#pushSlice(bytes.subarray(at, at + MAX_LINE_BYTES))
  }

  /** Ends the stream: a last line without a newline counts as a line. */
  end(): void {
    if (this.#heldBytes > 0) this.#emit(this.partial, 'open')
    this.#heldBytes = 0
  }

  #pushSlice(slice: Buffer): void {
    const last = slice.lastIndexOf(NEWLINE)
    if (last >= 0) this.#emitLines(slice.subarray(0, last))
    if (last + 1 < slice.length) this.#hold(slice.subarray(last + 1))
  }

  #emitLines(head: Buffer): void {
    const lines = this.#heldBytes === 0 ? head : Buffer.concat([this.partial, head])
    this.#heldBytes = 0
    this.#emit(lines, 'newline')
  }

  #hold(bytes: Buffer): void {
    const size = this.#heldBytes + bytes.length
    if (size > this.#held.length) this.#grow(size)
    this.#held.set(bytes, this.#heldBytes)
    this.#heldBytes = size
    if (size > MAX_LINE_BYTES) this.#emitPiece()
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(256, 2 ** Math.ceil(Math.log2(size))))
    larger.set(this.partial)
    this.#held = larger
  }

  /** Neither the input slice nor the held bytes exceed `MAX_LINE_BYTES`, so one piece is enough. */
  #emitPiece(): void {
    const cut = characterBorder(this.#held, MAX_LINE_BYTES)
    this.#emit(this.#held.subarray(0, cut), 'continues')
    this.#held.copyWithin(0, cut, this.#heldBytes)
    this.#heldBytes -= cut
  }

  #emit(raw: Buffer, ending: Exclude<ChunkEnding, 'partial'>): void {
    const text = isUtf8(raw) ? raw : Buffer.from(raw.toString('utf8'))
    let start = 0
    let checked = 0
    while (text.length - checked > MAX_LINE_BYTES) {
      const newline = text.lastIndexOf(NEWLINE, checked + MAX_LINE_BYTES)
      if (newline >= checked) {
        checked = newline + 1
        continue
      }
      if (checked > start) this.#take(text.subarray(start, checked - 1), 'newline')
      const cut = characterBorder(text, checked + MAX_LINE_BYTES)
      this.#take(text.subarray(checked, cut), 'continues')
      start = cut
      checked = cut
    }
    this.#take(text.subarray(start), ending)
  }
}

/** The last character boundary at or before `at`. In bytes that are not UTF-8, `at` itself. */
const characterBorder = (text: Buffer, at: number): number => {
  for (let back = 0; back <= 3; back++) if ((text[at - back]! & 0xc0) !== 0x80) return at - back
  return at
}
