import { createRequire } from 'node:module'

/** The part of the optional package `chdb` that the engine uses. */
export type Chdb = {
  readonly Session: new (path: string, options?: { connectionArgs?: readonly string[] }) => ChdbSession
}

/** One connection: its statements run one after another. Sessions at one path run side by side. */
export type ChdbSession = {
  queryAsync(sql: string, options: { format: string }): Promise<ChdbAnswer>
  /** At once; to be called when its statements have ended. */
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

type Session = ChdbSession & { connection: object | null }
type Native = { CloseConnection(connection: object): void }

/** Loads the library (half a gigabyte, 0.3 s). Only ever in the engine process. Throws when the package is missing. */
export const loadChdb = (): Chdb => {
  const chdb = require('chdb') as {
    readonly Session: new (...options: ConstructorParameters<Chdb['Session']>) => Session
  }
  // Its own loader, which is no part of its interface: it knows the platform's package.
  const { loadNative } = createRequire(require.resolve('chdb'))('./dist/loader.js') as { loadNative(): Native }
  const native = loadNative()

  /**
   * The package closes a connection when nothing runs on any other either: beside a statement of an hour each that was closed meanwhile would stay, with
   * up to two megabytes.
   */
  class SessionThatCloses extends chdb.Session {
    override close(): void {
      const { connection } = this
      this.connection = null
      super.close()
      if (connection !== null) native.CloseConnection(connection)
    }
  }
  return { Session: SessionThatCloses }
}
