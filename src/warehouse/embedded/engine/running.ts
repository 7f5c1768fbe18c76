import { once } from '../../../kernel/once.ts'
import { quoteText } from '../../quote-text.ts'
import type { ChdbSession } from './chdb.ts'
import { ClickHouseError } from './clickhouse-error.ts'
import type { Sessions } from './sessions.ts'

/** The statements running now, by the ids that clients gave them. */
export interface Running {
  /** Throws `ClickHouseError` if one with this id is already running. */
  add(queryId: string): void
  remove(queryId: string): void
  /**
   * What it had read when last polled: chDB reports this only while a statement runs. Zero for a watched statement that runs alone, since then nobody polls.
   */
  seen(queryId: string): ReadSoFar
  /** Starts watching. The returned function tells whether no other statement has run since, not even one of our own polls. */
  watchOthers(queryId: string): () => boolean
  /** How many statements that read, our own polls included, have started in all. */
  begun(): number
  /** Asks chDB to cancel it; resolves once chDB has accepted that. */
  kill(queryId: string): Promise<void>
  /** Call it after a statement that kills others: every cancelled statement must end in time, or the process does. */
  watchKilled(): Promise<void>
}

export type ReadSoFar = { readonly rows: number; readonly bytes: number }

/** Short for the first poll: most statements end quickly. */
const FIRST_LOOK_MS = 20
const LOOK_MS = 100

const NOTHING: ReadSoFar = { rows: 0, bytes: 0 }

const QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216

const LOOK_SQL = "SELECT read_rows, read_bytes, Settings['log_comment'] FROM system.processes"

/**
 * chDB assigns its own query ids. A client's id is kept in the setting `log_comment`, which `system.processes` shows. Statements about running statements are
 * rewritten accordingly (`query-id.ts`).
 */
export const createRunning = (options: {
  readonly sessions: Sessions
  readonly killGraceMs: number
  readonly idleMs: number
  /** No statement has run for `idleMs`. Repeated after every further `idleMs`. */
  readonly onIdle: () => void
  /** A cancelled statement does not end: only killing the process ends it. */
  readonly onStuck: (queryId: string) => void
}): Running => {
  const { sessions, killGraceMs, idleMs, onIdle, onStuck } = options
  const ids = new Map<string, { timer: NodeJS.Timeout | null; read: ReadSoFar; aloneSince: number | null }>()
  let begun = 0
  let asking = 0
  let idle = setInterval(onIdle, idleMs)

  const watch = (queryId: string): void => {
    const entry = ids.get(queryId)
    if (entry === undefined || entry.timer !== null) return
    entry.timer = setTimeout(() => onStuck(queryId), killGraceMs)
  }

  const askIn = async (session: ChdbSession, sql: string): Promise<string> => {
    begun++
    asking++
    try {
      return Buffer.from((await session.queryAsync(sql, { format: 'TSVRaw' })).bytes()).toString('utf8')
    } finally {
      asking--
    }
  }

  const ask = async (sql: string): Promise<string> => {
    const session = sessions.take()
    try {
      return await askIn(session, sql)
    } finally {
      session.close()
    }
  }

  /** Kept open: opening a session takes longer than polling. */
  const lookSession = once(() => sessions.take())
  const lookOnce = async (): Promise<string> => askIn(lookSession(), LOOK_SQL)

  /** A statement that runs alone gets exact counts at its end. Polling it would be a second statement. */
  const mustLook = (): boolean => ids.values().some(({ aloneSince }) => aloneSince !== begun)

  /** One poll covers all running statements, and the next starts only after its answer. */
  let isLooking = false
  const look = async (): Promise<void> => {
    const seen = mustLook() ? await lookOnce().catch(() => '') : ''
    for (const line of seen.split('\n')) {
      const [rows, bytes, queryId] = line.split('\t')
      const entry = ids.get(queryId ?? '')
      if (entry !== undefined) entry.read = { rows: Number(rows), bytes: Number(bytes) }
    }
    isLooking = ids.size > 0
    if (isLooking) setTimeout(look, LOOK_MS)
  }

  return {
    seen: queryId => ids.get(queryId)?.read ?? NOTHING,
    add: queryId => {
      if (ids.has(queryId))
        throw new ClickHouseError(
          QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
          `Query with id = ${queryId} is already running. (QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING)`,
        )
      begun++
      ids.set(queryId, { timer: null, read: NOTHING, aloneSince: null })
      if (!isLooking) setTimeout(look, FIRST_LOOK_MS)
      isLooking = true
      clearInterval(idle)
    },
    watchOthers: queryId => {
      const entry = ids.get(queryId)!
      if (ids.size === 1 && asking === 0) entry.aloneSince = begun
      return () => entry.aloneSince === begun
    },
    begun: () => begun,
    remove: queryId => {
      clearTimeout(ids.get(queryId)?.timer ?? undefined)
      ids.delete(queryId)
      if (ids.size === 0) idle = setInterval(onIdle, idleMs)
    },
    kill: async queryId => {
      watch(queryId)
      await ask(`KILL QUERY WHERE Settings['log_comment'] = ${quoteText(queryId)} ASYNC`)
    },
    watchKilled: async () => {
      const killed = await ask("SELECT Settings['log_comment'] FROM system.processes WHERE is_cancelled")
      for (const queryId of killed.split('\n')) watch(queryId)
    },
  }
}
