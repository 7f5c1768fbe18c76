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
    this.#bytes = this.#size()
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
    this.#triedAt = performance.now()
    return this.#cutTo(Math.max(0, this.#bytes - STEP_BYTES))
  }

  /** Fills all that is missing or nothing: a partial refill would take space from calls that end work. */
  #fill(): void {
    const held = this.#bytes
    try {
      append(this.#path, RESERVE_BYTES - held)
      this.#bytes = RESERVE_BYTES
    } catch {
      this.#cutTo(held)
    }
  }

  /** False if that fails, because somebody has removed the file or too many files are open. An exception would end the writer's thread. */
  #cutTo(bytes: number): boolean {
    try {
      truncateSync(this.#path, bytes)
      return true
    } catch {
      return false
    } finally {
      this.#bytes = this.#size()
    }
  }

  #size(): number {
    return Math.min(statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0, RESERVE_BYTES)
  }
}

/** Appends random bytes, because some file systems store zeros without allocating space. */
const append = (path: string, bytes: number): void => {
  const block = randomFillSync(Buffer.allocUnsafe(STEP_BYTES))
  const file = openSync(path, 'a', 0o600)
  try {
    for (let written = 0; written < bytes; ) written += writeSync(file, block, 0, Math.min(STEP_BYTES, bytes - written))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
