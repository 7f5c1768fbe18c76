import { createRequire } from 'node:module'

/** The part of the optional package `chdb` that the engine uses. */
export type Chdb = {
  readonly Session: new (path: string, options?: { connectionArgs?: readonly string[] }) => ChdbSession
}

/** One connection: its statements run one after another. Sessions at one path run side by side. */
export type ChdbSession = {
  queryAsync(sql: string, options: { format: string }): Promise<ChdbAnswer>
  /** Waits, in the background, for what still runs. */
  close(): void
}

export type ChdbAnswer = {
  /** Seconds. */
  readonly elapsed: number
  /** Of the result. */
  readonly rowsRead: number
  readonly bytesRead: number
  bytes(): Uint8Array
}

const require = createRequire(import.meta.url)

/** Loads the library (half a gigabyte, 0.3 s). Only ever in the engine process. Throws when the package is missing. */
export const loadChdb = (): Chdb => require('chdb') as Chdb
