import { readSync } from 'node:fs'

const LF = 0x0a

/** The bytes of a file from a moving position on. Grows to hold a record. Reads synchronously, so it needs a thread of its own. */
export class ReadWindow {
  /** The line of the position, from 1. */
  line: number
  readonly #descriptor: number
  #buffer = Buffer.allocUnsafe(1024 * 1024)
  #from = 0
  #to = 0
  #isLast = false

  constructor(descriptor: number, linesBefore = 0) {
    this.line = linesBefore + 1
    this.#descriptor = descriptor
    this.#fill()
  }

  /** The bytes loaded from the position on. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#from, this.#to)
  }

  /** No more bytes follow. */
  get isLast(): boolean {
    return this.#isLast
  }

  get isAtEnd(): boolean {
    return this.#isLast && this.#from === this.#to
  }

  /** The line at the position, as far as it is loaded, and whether all of it is. */
  get currentLine(): { readonly bytes: Buffer; readonly isWhole: boolean } {
    const { bytes } = this
    const end = bytes.indexOf(LF)
    return end === -1 ? { bytes, isWhole: this.#isLast } : { bytes: bytes.subarray(0, end + 1), isWhole: true }
  }

  skip(count: number, lines: number): void {
    this.#from += count
    this.line += lines
  }

  /** Moves past the end of the line, however long it is. */
  skipLine(): void {
    for (;;) {
      const { bytes, isWhole } = this.currentLine
      this.skip(bytes.length, isWhole ? 1 : 0)
      if (isWhole) return
      this.more()
    }
  }

  /** Loads at least one more byte, or finds the end. */
  more(): void {
    const kept = this.bytes
    if (kept.length > this.#buffer.length / 2) {
      const larger = Buffer.allocUnsafe(this.#buffer.length * 2)
      kept.copy(larger)
      this.#buffer = larger
    } else kept.copy(this.#buffer)
    this.#from = 0
    this.#to = kept.length
    this.#fill()
  }

  #fill(): void {
    const count = readSync(this.#descriptor, this.#buffer, this.#to, this.#buffer.length - this.#to, null)
    this.#to += count
    if (count === 0) this.#isLast = true
  }
}
