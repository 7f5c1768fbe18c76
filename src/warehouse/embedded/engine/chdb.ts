import { createRequire } from 'node:module'

/** The part of the optional package `chdb` that the engine uses. */
export type Chdb = {
  readonly Session: new (path: string, options?: { connectionArgs?: readonly string[] }) => ChdbSession
}

/** One connection. Its statements run one after another; sessions on the same path run in parallel. */
export type ChdbSession = {
  queryAsync(sql: string, options: { format: string }): Promise<ChdbAnswer>
  /** Takes effect at once; call it only when the session's statements have ended. */
  close(): void
}

export type ChdbAnswer = {
  /** Seconds. */
  readonly elapsed: number
  /** Rows of the result. */
  readonly rowsRead: number
  readonly bytesRead: number
  bytes(): Uint8Array
}

const require = createRequire(import.meta.url)

type Session = ChdbSession & { connection: object | null }
type Native = { CloseConnection(connection: object): void }

/** Loads the library (half a gigabyte, 0.3 s). Call it only in the engine process. Throws when the package is missing. */
export const loadChdb = (): Chdb => {
  const chdb = require('chdb') as {
    readonly Session: new (...options: ConstructorParameters<Chdb['Session']>) => Session
  }
  // The package's own loader knows the platform's package. It is not part of the public interface.
  const { loadNative } = createRequire(require.resolve('chdb'))('./dist/loader.js') as { loadNative(): Native }
  const native = loadNative()

  /**
   * The package closes a connection only when nothing runs on any other either. During a statement of an hour, every connection closed meanwhile would stay
   * open, with up to two megabytes each.
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
