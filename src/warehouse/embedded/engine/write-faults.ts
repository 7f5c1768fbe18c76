import { once } from '../../../kernel/once.ts'
import { ClickHouseError, ERROR } from './clickhouse-error.ts'
import type { Sessions } from './sessions.ts'

/**
 * Of writes into files. chDB drops what it cannot write `INTO OUTFILE` (to a full disk, above all), tries the next block, and
 * calls the statement a success; but it counts.
 */
export interface WriteFaults {
  /** Begins to watch; the promise resolves when it does. */
  watch(): Promise<WriteWatch>
}

export interface WriteWatch {
  /** Throws `ClickHouseError` when a write has failed since, of whichever statement: the counter is the process's. */
  mustBeNone(): Promise<void>
}

/** For statements that write no file. */
export const NOT_WATCHED: WriteWatch = { mustBeNone: async () => {} }

const SQL = "SELECT value FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed'"

export const createWriteFaults = (sessions: Sessions): WriteFaults => {
  // One for all counts: nothing that a user says runs in it, and to open one takes longer than to count.
  const session = once(() => sessions.take())
  const count = async (): Promise<number> => {
    const answer = await session().queryAsync(SQL, { format: 'TSVRaw' })
    return Number(Buffer.from(answer.bytes()).toString())
  }

  return {
    watch: async () => {
      const before = await count()
      return {
        mustBeNone: async () => {
          if ((await count()) === before) return
          throw new ClickHouseError(
            ERROR.NOT_ENOUGH_SPACE,
            'The result could not be written: there is no room left on the disk. (NOT_ENOUGH_SPACE)',
          )
        },
      }
    },
  }
}
