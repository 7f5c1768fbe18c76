import { once } from '../../../kernel/once.ts'
import type { ChdbSession } from './chdb.ts'
import { ClickHouseError, ERROR } from './clickhouse-error.ts'
import type { ReadSoFar, Running } from './running.ts'
import type { Sessions } from './sessions.ts'

/**
 * Counts of the whole process before and after a statement. They tell two things that chDB itself does not: whether a block could not be written, into a
 * file or a table (mostly because the disk is full), which chDB drops before it goes on and reports success; and what a statement has read in all.
 */
export interface Counters {
  /** Watches from before statements that answer nothing, which are carried out in the session. */
  watch(session: ChdbSession, sql: string, queryId: string): Promise<CounterWatch>
  /** The same for statements of which nobody asks what they have read: those are looked at while they run. */
  watchWrites(session: ChdbSession, sql: string): Promise<CounterWatch>
}

export interface CounterWatch {
  /** To be asked once, after the statement. */
  end(): Promise<Counted>
}

export type Counted = {
  /** All that the statement has read; null: others have run beside it. */
  readonly read: ReadSoFar | null
  /** Whether a write into a file has failed since, of whichever statement. */
  readonly hasLostWrites: boolean
}

/** For statements that write nothing and of which nobody asks what they have read. */
export const NOT_WATCHED: CounterWatch = { end: async () => ({ read: null, hasLostWrites: false }) }

/** All events: selecting some takes no less time, and so it is known how much the look itself reads. */
const SQL = 'SELECT event, value, description FROM system.events'

type Counts = {
  readonly failedWrites: number
  readonly read: ReadSoFar
  /** What the look itself adds to it. */
  readonly own: ReadSoFar
}

export const createCounters = (sessions: Sessions, running: Pick<Running, 'watchOthers'>): Counters => {
  // For the counts after statements, whose limits do not apply to it. Kept: opening a session takes longer than counting.
  const own = once(() => sessions.take())

  const count = async (session: ChdbSession, sql: string): Promise<Counts> =>
    readCounts(
      Buffer.from((await session.queryAsync(`${SQL};\n${sql}`, { format: 'JSONCompactColumns' })).bytes()).toString(),
    )

  const watch = async (session: ChdbSession, sql: string, isAlone: () => boolean): Promise<CounterWatch> => {
    const before = await count(session, sql)
    return {
      end: async () => {
        const after = await count(own(), '')
        return {
          read: isAlone() ? between(before, after) : null,
          hasLostWrites: after.failedWrites !== before.failedWrites,
        }
      },
    }
  }

  return {
    watch: (session, sql, queryId) => watch(session, sql, running.watchOthers(queryId)),
    watchWrites: (session, sql) => watch(session, sql, () => false),
  }
}

/** Throws `ClickHouseError` where a write has failed: of which file nobody tells. */
export const refuseLostWrites = ({ hasLostWrites }: Counted): void => {
  if (hasLostWrites)
    throw new ClickHouseError(
      ERROR.NOT_ENOUGH_SPACE,
      'Not all could be written: there is no room left on the disk. (NOT_ENOUGH_SPACE)',
    )
}

const readCounts = (text: string): Counts => {
  const [events, values, descriptions] = JSON.parse(text) as [string[], string[], string[]]
  const countOf = (event: string): number => Number(values[events.indexOf(event)] ?? 0)
  // A number and two texts with their lengths.
  const bytes = events.reduce(
    (sum, event, row) => sum + 24 + Buffer.byteLength(event) + Buffer.byteLength(descriptions[row]!),
    0,
  )
  return {
    failedWrites: countOf('WriteBufferFromFileDescriptorWriteFailed'),
    read: { rows: countOf('SelectedRows'), bytes: countOf('SelectedBytes') },
    own: { rows: events.length, bytes },
  }
}

const between = (before: Counts, after: Counts): ReadSoFar => ({
  rows: after.read.rows - before.read.rows - before.own.rows,
  bytes: after.read.bytes - before.read.bytes - before.own.bytes,
})
