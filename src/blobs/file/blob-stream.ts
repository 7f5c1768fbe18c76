import type { FileHandle } from 'node:fs/promises'
import { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

const BLOCK_BYTES = 256 * 1024

/** Two blocks: one is read while the other is sent. */
const BLOCKS = 2

type Range = { readonly start?: number; readonly end?: number }

/**
 * The bytes of a file, which it closes at the end. Piped into an HTTP response, it reuses the same few blocks: a response reports when it no longer needs a
 * block, and allocating a new one each time costs more than reading the file.
 */
export class BlobStream extends Readable {
  readonly #file: FileHandle
  readonly #end: number
  #at: number

  /** From `start` to `end` (inclusive), or the whole file. */
  constructor(file: FileHandle, { start = 0, end = Number.POSITIVE_INFINITY }: Range = {}) {
    super({ highWaterMark: BLOCK_BYTES })
    this.#file = file
    this.#at = start
    this.#end = end
  }

  override _read(): void {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    this.#fill(block).then(
      part => this.push(part.length === 0 ? null : part),
      (error: Error) => this.destroy(error),
    )
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#file.close().then(
      () => callback(error),
      fault => callback(error ?? fault),
    )
  }

  override pipe<Destination extends NodeJS.WritableStream>(
    destination: Destination,
    options: { end?: boolean } = {},
  ): Destination {
    if (!(destination instanceof ServerResponse)) return super.pipe(destination, options)
    this.#send(destination).then(
      () => {
        if (options.end !== false) destination.end()
        this.push(null)
        this.resume() // so that `end` is emitted
      },
      (error: Error) => this.destroy(error),
    )
    return destination
  }

  async #send(answer: ServerResponse): Promise<void> {
    const blocks = Array.from({ length: BLOCKS }, () => Buffer.allocUnsafeSlow(BLOCK_BYTES))
    const free = blocks.map(() => Promise.resolve())
    const from = this.#at
    for (let turn = 0; ; turn = (turn + 1) % BLOCKS) {
      await free[turn]
      const part = await this.#fill(blocks[turn]!)
      if (part.length === 0) break
      const sending = written(answer, part)
      sending.catch(() => {}) // handled when awaited
      free[turn] = sending
    }
    await Promise.all(free)
    const promised = answer.getHeader('content-length')
    // Otherwise the client would wait for the rest and take the next response for it.
    if (promised !== undefined && Number(promised) !== this.#at - from)
      throw new Error(`The file has ${this.#at - from} bytes of the ${promised} that were promised.`)
  }

  /** Reads the next bytes into a block. Empty at the end. */
  async #fill(block: Buffer): Promise<Buffer> {
    const wanted = Math.min(block.length, this.#end + 1 - this.#at)
    if (wanted <= 0) return block.subarray(0, 0)
    const { bytesRead } = await this.#file.read(block, 0, wanted, this.#at)
    this.#at += bytesRead
    return block.subarray(0, bytesRead)
  }
}

/** Resolves when the kernel has the bytes. */
const written = (answer: ServerResponse, part: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    answer.write(part, error => (error ? reject(error) : resolve()))
  })
