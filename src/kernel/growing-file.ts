import { type FileHandle, lstat, rename, rm } from 'node:fs/promises'

type Input = {
  readonly path: string
  /** Open for reading and writing. From now on it is this object's to close. */
  readonly handle: FileHandle
  /** Resolves when all is written; rejects with what kept it from that. */
  readonly written: Promise<void>
  /** Ends the writing; called when nobody wants the rest. */
  readonly leave: () => void
}

export type Growth = { readonly size: number; readonly isWhole: boolean }

const PART_BYTES = 1024 * 1024

/** How long until the next look at the size: short while it grows. */
const SHORTEST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 50

/**
 * A file that another process writes from its beginning to its end, while this one follows. It has one owner at a time, who
 * reads it, moves it to where it is to stay, or removes it.
 */
export class GrowingFile implements AsyncIterable<Uint8Array> {
  readonly handle: FileHandle
  readonly #written: Promise<void>
  readonly #leave: () => void
  #path: string
  #isWhole = false
  #removing: Promise<void> | null = null

  constructor({ path, handle, written, leave }: Input) {
    this.#path = path
    this.handle = handle
    this.#leave = leave
    this.#written = written.then(() => {
      this.#isWhole = true
    })
    // Who looks at the file hears of it.
    this.#written.catch(() => {})
  }

  /** Waits until there are more than so many bytes, or all. Throws what kept the writer from its end. */
  async growBeyond(bytes: number): Promise<Growth> {
    for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(1.5 * pauseMs, LONGEST_PAUSE_MS)) {
      // In this order: nothing is added to what is whole.
      const isWhole = this.#isWhole
      const { size } = await this.handle.stat()
      if (size > bytes || isWhole) return { size, isWhole }
      await this.#pause(pauseMs)
    }
  }

  /** All of it, in parts of up to 1 MiB, behind the writer. At its end or when it is left the file is removed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0, isWhole = false; !isWhole; ) {
        const growth = await this.growBeyond(at)
        isWhole = growth.isWhole
        while (at < growth.size) {
          const part = Buffer.allocUnsafeSlow(Math.min(PART_BYTES, growth.size - at))
          const { bytesRead } = await this.handle.read(part, 0, part.length, at)
          if (bytesRead === 0) throw new Error('The file became shorter while it was read.')
          at += bytesRead
          yield part.subarray(0, bytesRead)
        }
      }
    } finally {
      await this.remove()
    }
  }

  /** Renames it, also while it is written. Throws when it cannot be (`EXDEV`: another file system), or when another file has its name. */
  async moveTo(path: string): Promise<void> {
    await rename(this.#path, path)
    this.#path = path
    if (!(await this.hasItsName())) throw new Error('The file that was written is not the one that was opened.')
  }

  /** Whether the file of its name is still the one that was opened: others may write in its folder. */
  async hasItsName(): Promise<boolean> {
    const [opened, named] = await Promise.all([this.handle.stat(), lstat(this.#path).catch(() => null)])
    return named !== null && opened.ino === named.ino && opened.dev === named.dev
  }

  /** Lets go of it. It stays where it is. */
  close(): Promise<void> {
    return this.handle.close()
  }

  /** Ends the writing and removes the file. Idempotent. */
  remove(): Promise<void> {
    this.#removing ??= this.#remove()
    return this.#removing
  }

  async #remove(): Promise<void> {
    this.#leave()
    try {
      // The writer may have it open for a while yet: what is there must not fill the disk until then.
      if (!this.#isWhole) await this.handle.truncate()
      await rm(this.#path, { force: true })
    } finally {
      await this.handle.close()
    }
  }

  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>(resolve => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([this.#written, over]).finally(() => clearTimeout(timer))
  }
}
