import { randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, statSync, truncateSync, writeSync } from 'node:fs'

const RESERVE_BYTES = 8 * 1024 * 1024
const STEP_BYTES = 512 * 1024
const TRY_AGAIN_MS = 1_000

/**
 * Room on the disk that is kept for ending what runs. Logs, blobs and commands may fill a disk to the last byte; without
 * it not even the end of the job that did so could be written. `spend` gives some of it to the next commit, in steps,
 * because whoever filled the disk may be quicker. From then on nothing new is to be taken until all of it is there again.
 */
export class Reserve {
  readonly #path: string
  #bytes: number
  #triedAt = Number.NEGATIVE_INFINITY

  /** `path` is that of the database. */
  constructor(path: string) {
    this.#path = `${path}-reserve`
    this.#bytes = Math.min(statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0, RESERVE_BYTES)
  }

  /** Whether all of the room is there; tries to make what is missing, not too often. */
  isHeld(): boolean {
    if (this.#bytes === RESERVE_BYTES) return true
    const now = performance.now()
    if (now - this.#triedAt < TRY_AGAIN_MS) return false
    this.#triedAt = now
    this.#fill()
    return this.#bytes === RESERVE_BYTES
  }

  /** False when nothing is left. */
  spend(): boolean {
    if (this.#bytes === 0) return false
    this.#bytes = Math.max(0, this.#bytes - STEP_BYTES)
    this.#triedAt = performance.now()
    truncateSync(this.#path, this.#bytes)
    return true
  }

  /** All or nothing more: a part of the room would be taken from those who end. Random bytes, because some file systems make room of zeros vanish. */
  #fill(): void {
    const block = randomFillSync(Buffer.allocUnsafe(STEP_BYTES))
    const file = openSync(this.#path, 'a', 0o600)
    try {
      for (let size = this.#bytes; size < RESERVE_BYTES; )
        size += writeSync(file, block, 0, Math.min(STEP_BYTES, RESERVE_BYTES - size))
      fsyncSync(file)
      this.#bytes = RESERVE_BYTES
    } catch {
      truncateSync(this.#path, this.#bytes)
    } finally {
      closeSync(file)
    }
  }
}
