import { readSync } from 'node:fs'

/** The bytes of a file from a place that moves on; grows where a record does. For a thread of its own: it reads in place. */
export class ReadWindow {
  readonly #descriptor: number
  #buffer = Buffer.allocUnsafe(1024 * 1024)
  #from = 0
  #to = 0
  #isLast = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
    this.#fill()
  }

  /** What is there from the present place on. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#from, this.#to)
  }

  /** Nothing follows the bytes. */
  get isLast(): boolean {
    return this.#isLast
  }

  skip(count: number): void {
    this.#from += count
  }

  /** Reads more behind the bytes, at least one, or finds the end. */
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
