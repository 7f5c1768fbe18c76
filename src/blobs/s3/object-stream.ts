import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { MillraceError } from '../../kernel/errors.ts'
import { IDLE_MS } from './open-client.ts'
import type { Bucket } from './s3-blob-store.ts'
import { toS3Fault } from './s3-fault.ts'

type Options = {
  readonly bucket: Pick<Bucket, 'bucket' | 'endpoint' | 'region'>
  /** The size that S3 announced or that was stored. null: unknown. */
  readonly promised: number | null
  /** How long S3 may send nothing while data is wanted. */
  readonly idleMs?: number
}

/**
 * The content of an S3 response. Fails with `storage_unavailable` if S3 breaks off, goes silent, or sends more or fewer bytes than announced. The reader may
 * take as long as it likes.
 */
export class ObjectStream extends Transform {
  readonly #body: Readable
  readonly #promised: number | null
  readonly #idle: NodeJS.Timeout
  #passed = 0

  constructor(body: Readable, { bucket, promised, idleMs = IDLE_MS }: Options) {
    super()
    this.#body = body
    this.#promised = promised
    const fail = (error: Error): void => void this.destroy(toS3Fault(error, bucket))
    let seen = 0
    this.#idle = setInterval(() => {
      // While the buffer is full, nothing is requested from S3.
      if (this.#passed === seen && !this.writableNeedDrain) fail(silence())
      seen = this.#passed
    }, idleMs).unref()
    body.on('error', fail)
    // A reader gets the error by reading. With no reader, yet or any more, it must not crash the server.
    this.on('error', () => {})
    body.pipe(this)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#passed += chunk.length
    if (this.#promised !== null && this.#passed > this.#promised) done(this.#fault())
    else done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    clearInterval(this.#idle)
    done(this.#promised !== null && this.#passed < this.#promised ? this.#fault() : null)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearInterval(this.#idle)
    this.#body.destroy()
    done(error)
  }

  #fault(): MillraceError {
    return new MillraceError(
      'storage_unavailable',
      `S3 gave ${this.#passed} bytes or more of an object, and should give ${this.#promised}.`,
    )
  }
}

const silence = (): Error => Object.assign(new Error('S3 sends no more of an object'), { name: 'TimeoutError' })
