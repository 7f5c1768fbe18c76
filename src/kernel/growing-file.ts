import { type FileHandle, lstat, rename, rm } from 'node:fs/promises'

type Input = {
  readonly path: string
  /** Open for reading and writing. The GrowingFile takes ownership and closes it. */
  readonly handle: FileHandle
  /** Resolves when everything is written; rejects with the error that stopped the writer. */
  readonly written: Promise<void>
  /** Stops the writer; called when nobody needs the rest. */
  readonly leave: () => void
}

export type Growth = { readonly size: number; readonly isWhole: boolean }

const PART_BYTES = 1024 * 1024

/** Pause between size checks: short while the file grows. */
const SHORTEST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 50

/**
 * A file that another process writes from start to end while this one follows it. It has one owner at a time, which reads it, moves it to its final
 * place, or removes it.
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
    // Readers get the rejection; without this it would be unhandled.
    this.#written.catch(() => {})
  }

  /** Waits until the file has more than this many bytes or is complete. Throws the error that stopped the writer. */
  async growBeyond(bytes: number): Promise<Growth> {
    for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(1.5 * pauseMs, LONGEST_PAUSE_MS)) {
      // Read before the size: a complete file no longer grows.
      const isWhole = this.#isWhole
      const { size } = await this.handle.stat()
      if (size > bytes || isWhole) return { size, isWhole }
      await this.#pause(pauseMs)
    }
  }

  /** The whole file, in chunks of up to 1 MiB, following the writer. Removes the file at the end or when the reader stops early. */
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

  /** Renames it, even while it is being written. Throws if that fails (`EXDEV`: another file system) or if the new path then names another file. */
  async moveTo(path: string): Promise<void> {
    await rename(this.#path, path)
    this.#path = path
    if (!(await this.hasItsName())) throw new Error('The file that was written is not the one that was opened.')
  }

  /** Whether the path still names the file that was opened: others may write in its folder. */
  async hasItsName(): Promise<boolean> {
    const [opened, named] = await Promise.all([this.handle.stat(), lstat(this.#path).catch(() => null)])
    return named !== null && opened.ino === named.ino && opened.dev === named.dev
  }

  /** Closes it without removing the file. */
  close(): Promise<void> {
    return this.handle.close()
  }

  /** Stops the writer and removes the file. Idempotent. */
  remove(): Promise<void> {
    this.#removing ??= this.#remove()
    return this.#removing
  }

  async #remove(): Promise<void> {
    this.#leave()
    try {
      // The writer may keep it open for a while, so free the disk space now.
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
