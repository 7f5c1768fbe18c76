import type { Chdb, ChdbSession } from './chdb.ts'

/**
 * A fresh session for every statement, so that nothing left behind (settings, a temporary table, output of a failed statement) reaches another. A few are
 * opened in advance, because opening takes 2 ms on the one serving thread.
 */
export interface Sessions {
  /** Starts chDB, which runs until the process ends. Resolves with ClickHouse's version. */
  start(): Promise<string>
  take(): ChdbSession
  /** Opens the missing spare sessions when the event loop is idle. */
  refill(): void
}

const SPARE = 4

/** Files of tables dropped without SYNC are deleted after this many seconds instead of 480. So no DROP needs SYNC, which may wait 0.3 s for the disk. */
const DROP_SOON = '--database_atomic_delay_before_drop_table_sec=1'

type Options = { readonly chdb: Chdb; readonly path: string; readonly memoryBytes: number | null }

export const createSessions = ({ chdb, path, memoryBytes }: Options): Sessions => {
  const kept: ChdbSession[] = []
  const spare: ChdbSession[] = []
  let refilling = false

  const open = (): ChdbSession => new chdb.Session(path)

  const refill = (): void => {
    if (refilling || spare.length >= SPARE) return
    refilling = true
    setImmediate(() => {
      refilling = false
      spare.push(open())
      refill()
    })
  }

  return {
    start: async () => {
      // The arguments of the first session apply to the whole process. It is never closed, because chDB shuts down with its last session.
      const limits = memoryBytes === null ? [] : [`--max_server_memory_usage=${memoryBytes}`]
      const first = new chdb.Session(path, { connectionArgs: [DROP_SOON, ...limits] })
      await first.queryAsync('CREATE DATABASE IF NOT EXISTS live', { format: 'Null' })
      const answer = await first.queryAsync('SELECT version()', { format: 'TSVRaw' })
      kept.push(first)
      return Buffer.from(answer.bytes()).toString('utf8').trim()
    },
    take: () => {
      const session = spare.shift() ?? open()
      refill()
      return session
    },
    refill,
  }
}
