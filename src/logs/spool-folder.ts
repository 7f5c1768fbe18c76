import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Spool files are named `<job id>.<attempt>.<number>.log`, numbered in line order. */
const NAME = /^([0-9a-f-]{36})\.(\d+)\.(\d+)\.log$/

export type SpoolName = { readonly jobId: string; readonly attempt: number; readonly number: number }

/** The folder with all spool files of this server. */
export class SpoolFolder {
  readonly #path: string
  #made: Promise<unknown> | null = null

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'spool')
  }

  /** Creates the folder on first use. */
  async fileFor(name: SpoolName): Promise<string> {
    this.#made ??= mkdir(this.#path, { recursive: true, mode: 0o700 }).catch(error => {
      this.#made = null // retry on the next call
      throw error
    })
    await this.#made
    return join(this.#path, `${name.jobId}.${name.attempt}.${name.number}.log`)
  }

  /** The contents of an attempt's files, in order. */
  async *read(jobId: string, attempt: number): AsyncGenerator<Buffer> {
    const own = (await this.list()).filter(file => file.jobId === jobId && file.attempt === attempt)
    for (const file of own.sort((a, b) => a.number - b.number)) yield await readFile(file.path)
  }

  async list(): Promise<readonly (SpoolName & { readonly path: string })[]> {
    const names = await readdir(this.#path).catch(() => [])
    return names.flatMap(name => {
      const match = NAME.exec(name)
      return match === null
        ? []
        : [{ jobId: match[1]!, attempt: Number(match[2]), number: Number(match[3]), path: join(this.#path, name) }]
    })
  }

  /** Removes files last written before `before` (epoch ms), except those of attempts for which `isLive` is true. */
  async sweep(before: number, isLive: (jobId: string, attempt: number) => boolean): Promise<void> {
    for (const file of await this.list()) {
      if (isLive(file.jobId, file.attempt)) continue
      const written = await stat(file.path).catch(() => null)
      if (written !== null && written.mtimeMs < before) await rm(file.path, { force: true })
    }
  }
}
