import { once } from '../../../kernel/once.ts'
import { quoteText } from '../../quote-text.ts'
import type { ChdbSession } from './chdb.ts'
import { ClickHouseError } from './clickhouse-error.ts'
import type { Sessions } from './sessions.ts'

/** The statements that run now, by the ids that clients gave them. */
export interface Running {
  /** Throws `ClickHouseError` when one of this id runs already. */
  add(queryId: string): void
  remove(queryId: string): void
  /** What it had read when it was last looked at: chDB tells this only while a statement runs. Zero while it is watched and alone, when nobody looks. */
  seen(queryId: string): ReadSoFar
  /** Begins to watch. The function it returns says whether nothing else has run since, not even a statement of ours that looks at it. */
  watchOthers(queryId: string): () => boolean
  /** Asks chDB to end it; resolves once it knows. */
  kill(queryId: string): Promise<void>
  /** To be called after a statement that kills others: what was asked to end has to end, or the process does. */
  watchKilled(): Promise<void>
}

export type ReadSoFar = { readonly rows: number; readonly bytes: number }

/** Short at first: most statements end soon. */
const FIRST_LOOK_MS = 20
const LOOK_MS = 100

const NOTHING: ReadSoFar = { rows: 0, bytes: 0 }

const QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216

const LOOK_SQL = "SELECT read_rows, read_bytes, Settings['log_comment'] FROM system.processes"

/**
 * chDB makes query ids of its own. A client's id is kept in the setting `log_comment`, which `system.processes` shows: in
 * statements about running statements the two change places (`query-id.ts`).
 */
export const createRunning = (options: {
  readonly sessions: Sessions
  readonly killGraceMs: number
  readonly idleMs: number
  /** No statement has run for `idleMs`, and again after each further `idleMs`. */
  readonly onIdle: () => void
  /** A statement does not heed: nothing but the end of the process ends it. */
  readonly onStuck: (queryId: string) => void
}): Running => {
  const { sessions, killGraceMs, idleMs, onIdle, onStuck } = options
  const ids = new Map<string, { timer: NodeJS.Timeout | null; read: ReadSoFar; aloneSince: number | null }>()
  /** How many statements that read have begun. */
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

  /** To open a session takes longer than to look. */
  const lookSession = once(() => sessions.take())
  const lookOnce = async (): Promise<string> => askIn(lookSession(), LOOK_SQL)

  /** A statement that is alone until its end gets exact counts then: a look at it would be another statement. */
  const mustLook = (): boolean => ids.values().some(({ aloneSince }) => aloneSince !== begun)

  /** One look is for all that run, and the next begins only after its answer. */
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
