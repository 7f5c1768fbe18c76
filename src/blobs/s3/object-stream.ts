import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { MillraceError } from '../../kernel/errors.ts'
import { IDLE_MS } from './open-client.ts'
import type { Bucket } from './s3-blob-store.ts'
import { toS3Fault } from './s3-fault.ts'

type Options = {
  readonly bucket: Pick<Bucket, 'bucket' | 'endpoint' | 'region'>
  /** As many bytes as S3 said, or as were stored; null: it is not known. */
  readonly promised: number | null
  /** How long S3 may send nothing of what is wanted. */
  readonly idleMs?: number
}

/**
 * The content of an answer of S3. It fails as `storage_unavailable` when S3 breaks off or falls silent, or gives more or fewer bytes than it
 * should. Whoever reads it may take any time.
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
      // While it is full nothing is asked of S3.
      if (this.#passed === seen && !this.writableNeedDrain) fail(silence())
      seen = this.#passed
    }, idleMs).unref()
    body.on('error', fail)
    // Whoever reads hears of it by reading. Where nobody does yet, or any more, it must not end the server.
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
