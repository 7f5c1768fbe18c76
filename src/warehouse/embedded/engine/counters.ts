import { once } from '../../../kernel/once.ts'
import type { ChdbSession } from './chdb.ts'
import { ClickHouseError, ERROR } from './clickhouse-error.ts'
import type { ReadSoFar, Running } from './running.ts'
import type { Sessions } from './sessions.ts'

/**
 * Counters of the whole process, before and after a statement. They reveal two things that chDB itself does not report: what a statement has read in all, and
 * whether a block could not be written to a file or a table (mostly because the disk is full). chDB drops such a block, goes on and reports success.
 */
export interface Counters {
  /** Starts counting, then runs `sql` (statements without a result) in the session. */
  watch(session: ChdbSession, sql: string, queryId: string): Promise<CounterWatch>
  /** The same for statements whose read counts nobody asks for: `Running` polls them while they run. */
  watchWrites(session: ChdbSession, sql: string): Promise<CounterWatch>
}

export interface CounterWatch {
  /** Call it once, after the statement. */
  end(): Promise<Counted>
}

export type Counted = {
  /** Everything the statement has read; null: unknown, because other statements ran at the same time. */
  readonly read: ReadSoFar | null
  /** Whether a write to a file has failed since the start, in any statement. */
  readonly hasLostWrites: boolean
}

/** For statements that write nothing and whose read counts nobody asks for. */
export const NOT_WATCHED: CounterWatch = { end: async () => ({ read: null, hasLostWrites: false }) }

/** All events: filtering is no faster, and reading them all makes it known how much this query itself reads. */
const SQL = 'SELECT event, value, description FROM system.events'

/** Background work of the engine (a merge that finds no room) is not counted for a statement that starts much later. */
const FRESH_MS = 1000

type Counts = {
  readonly failedWrites: number
  readonly read: ReadSoFar
  /** What this query itself adds to `read`. */
  readonly own: ReadSoFar
}

export const createCounters = (sessions: Sessions, running: Pick<Running, 'watchOthers' | 'begun'>): Counters => {
  // Its own session, because the settings of a statement's session (limits) must not apply here. Kept open: opening a session takes longer than counting.
  const own = once(() => sessions.take())

  const count = async (session: ChdbSession, sql: string): Promise<Counts> =>
    readCounts(
      Buffer.from((await session.queryAsync(`${SQL};\n${sql}`, { format: 'JSONCompactColumns' })).bytes()).toString(),
    )

  /** The counters after a statement that ran alone. Until the next statement starts they stay as they are: counting takes 1.5 of the 14 ms of a small query. */
  let last: { readonly counts: Counts; readonly begun: number; readonly at: number } | null = null

  const countBefore = async (session: ChdbSession, sql: string): Promise<Counts> => {
    if (last?.begun !== running.begun() - 1 || performance.now() - last.at > FRESH_MS) return count(session, sql)
    const { counts } = last
    await session.queryAsync(sql, { format: 'Null' })
    return counts
  }

  const watch = async (session: ChdbSession, sql: string, isAlone: () => boolean): Promise<CounterWatch> => {
    const before = await countBefore(session, sql)
    return {
      end: async () => {
        const after = await count(own(), '')
        const read = isAlone() ? between(before, after) : null
        last = read === null ? null : { counts: after, begun: running.begun(), at: performance.now() }
        return { read, hasLostWrites: after.failedWrites !== before.failedWrites }
      },
    }
  }

  return {
    watch: (session, sql, queryId) => watch(session, sql, running.watchOthers(queryId)),
    watchWrites: (session, sql) => watch(session, sql, () => false),
  }
}

/** Throws `ClickHouseError` if a write has failed. Which file it was is unknown. */
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
  // Per row: an 8-byte number and two texts with 8-byte lengths.
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
