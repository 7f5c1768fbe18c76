import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { MillraceError } from '../../kernel/errors.ts'
import type { Bucket } from './s3-blob-store.ts'
import { toS3Fault } from './s3-fault.ts'

/** The content of an answer of S3. It fails as `storage_unavailable` when S3 breaks off, or gives more or fewer bytes than it said. */
export class ObjectStream extends Transform {
  readonly #body: Readable
  readonly #promised: number | null
  #passed = 0

  constructor(body: Readable, { bucket, promised }: { readonly bucket: Bucket; readonly promised: number | null }) {
    super()
    this.#body = body
    this.#promised = promised
    body.on('error', error => this.destroy(toS3Fault(error, bucket)))
    body.pipe(this)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#passed += chunk.length
    if (this.#promised !== null && this.#passed > this.#promised) done(this.#fault())
    else done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    done(this.#promised !== null && this.#passed < this.#promised ? this.#fault() : null)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#body.destroy()
    done(error)
  }

  #fault(): MillraceError {
    return new MillraceError(
      'storage_unavailable',
      `S3 gave ${this.#passed} bytes or more of an object, and had said ${this.#promised}.`,
    )
  }
}
