import { randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, statSync, truncateSync, writeSync } from 'node:fs'

const RESERVE_BYTES = 8 * 1024 * 1024
const STEP_BYTES = 512 * 1024
const TRY_AGAIN_MS = 1_000

/**
 * Disk space reserved for ending work in progress. Logs, blobs and commands may fill a disk to the last byte; without the reserve, not even the end
 * of the job that filled it could be written. `spend` releases some for the next commit, in steps, because whatever filled the disk may grab the
 * space first. From then on nothing new may be accepted until the reserve is complete again.
 */
export class Reserve {
  readonly #path: string
  #bytes: number
  #triedAt = Number.NEGATIVE_INFINITY

  /** `path` is the database's path. */
  constructor(path: string) {
    this.#path = `${path}-reserve`
    this.#bytes = Math.min(statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0, RESERVE_BYTES)
  }

  /** Whether the reserve is complete; tries to refill it, but not too often. */
  isHeld(): boolean {
    if (this.#bytes === RESERVE_BYTES) return true
    const now = performance.now()
    if (now - this.#triedAt < TRY_AGAIN_MS) return false
    this.#triedAt = now
    this.#fill()
    return this.#bytes === RESERVE_BYTES
  }

  /** False if nothing is left. */
  spend(): boolean {
    if (this.#bytes === 0) return false
    this.#bytes = Math.max(0, this.#bytes - STEP_BYTES)
    this.#triedAt = performance.now()
    truncateSync(this.#path, this.#bytes)
    return true
  }

  /**
   * Fills all that is missing or nothing: a partial refill would take space from calls that end work. Uses random bytes, because some file systems
   * store zeros without allocating space.
   */
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
