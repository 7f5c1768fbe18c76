import { once } from '../../../kernel/once.ts'
import type { ChdbSession } from './chdb.ts'
import { ClickHouseError, ERROR } from './clickhouse-error.ts'
import type { Sessions } from './sessions.ts'

/**
 * Of writes into files. chDB drops what it cannot write `INTO OUTFILE` (to a full disk, above all), tries the next block, and
 * calls the statement a success; but it counts.
 */
export interface WriteFaults {
  /** Watches from before statements that answer nothing, which are carried out in the session. */
  watch(session: ChdbSession, sql: string): Promise<WriteWatch>
}

export interface WriteWatch {
  /** Throws `ClickHouseError` when a write has failed since, of whichever statement: the counter is the process's. */
  mustBeNone(): Promise<void>
}

/** For statements that write no file. */
export const NOT_WATCHED: WriteWatch = { mustBeNone: async () => {} }

const SQL = "SELECT value FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed'"

export const createWriteFaults = (sessions: Sessions): WriteFaults => {
  // For counts after statements, out of reach of their limits. To open a session takes longer than to count.
  const own = once(() => sessions.take())

  const count = async (session: ChdbSession, sql: string): Promise<number> => {
    const answer = await session.queryAsync(`${SQL};\n${sql}`, { format: 'TSVRaw' })
    return Number(Buffer.from(answer.bytes()).toString())
  }

  return {
    watch: async (session, sql) => {
      const before = await count(session, sql)
      return {
        mustBeNone: async () => {
          if ((await count(own(), '')) === before) return
          throw new ClickHouseError(
            ERROR.NOT_ENOUGH_SPACE,
            'The result could not be written: there is no room left on the disk. (NOT_ENOUGH_SPACE)',
          )
        },
      }
    },
  }
}
