import { execFile } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BASE_PATH } from '../launched-process.ts'

const run = promisify(execFile)

/**
 * Pairs of FIFOs that carry the output of commands directly to the server, without a copy through the launcher. Only the server can enter their directory.
 * A pair is reused once both have been read to EOF: nobody can then hold the write end.
 */
export interface FifoPool {
  take(): Promise<FifoPair>
  /** Removes the directory. */
  remove(): void
}

export interface FifoPair {
  readonly stdout: string
  readonly stderr: string
  /** Opens the read ends, non-blocking. The caller closes them. They read as EOF until a writer opens them. */
  open(): { readonly stdout: number; readonly stderr: number }
  /** `ended: false` if a process may still hold a write end. */
  release(input: { ended: boolean }): void
}

/** Number of pairs made at once: starting `mkfifo` costs more than making many. */
const BATCH = 16

/** `owner` allows commands of another user to open `/dev/stdout` and `/dev/stderr` by name. */
export const createFifoPool = (input: { directory: string; owner: { uid: number; gid: number } | null }): FifoPool => {
  const { directory, owner } = input
  const free: FifoPair[] = []
  let made = 0
  let making: Promise<void> | null = null
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })

  const make = async (): Promise<void> => {
    const pairs = Array.from({ length: BATCH }, () => {
      const number = made++
      return { stdout: join(directory, `${number}.out`), stderr: join(directory, `${number}.err`) }
    })
    const paths = pairs.flatMap(pair => [pair.stdout, pair.stderr])
    await run('mkfifo', ['-m', '600', ...paths], { env: { PATH: BASE_PATH } })
    if (owner !== null) await Promise.all(paths.map(path => chown(path, owner.uid, owner.gid)))
    for (const pair of pairs) free.push(toPair(pair, free))
  }

  return {
    async take() {
      while (free.length === 0) {
        making ??= make().finally(() => {
          making = null
        })
        await making
      }
      return free.pop()!
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

const toPair = (paths: { stdout: string; stderr: string }, free: FifoPair[]): FifoPair => {
  const pair: FifoPair = {
    ...paths,
    open: () => {
      const stdout = openForReading(paths.stdout)
      try {
        return { stdout, stderr: openForReading(paths.stderr) }
      } catch (error) {
        closeSync(stdout)
        throw error
      }
    },
    release: ({ ended }) => {
      if (ended) free.push(pair)
      else for (const path of [paths.stdout, paths.stderr]) rmSync(path, { force: true })
    },
  }
  return pair
}

const openForReading = (path: string): number => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
