import type { Chdb, ChdbSession } from './chdb.ts'

/**
 * A fresh session for every statement: what one leaves behind (settings, a temporary table, output of a failed statement)
 * never meets another. A few are opened ahead, since opening takes 2 ms on the one thread that serves.
 */
export interface Sessions {
  /** Starts chDB; it runs until the process ends. Resolves with ClickHouse's version. */
  start(): Promise<string>
  take(): ChdbSession
  /** Opens what is missing, as soon as nothing else is to do. */
  refill(): void
}

const SPARE = 4

/** Files of what was dropped without SYNC are removed after so many seconds, not 480: nobody has to wait for the disk, which may take 0.3 s. */
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
      // What the first session asks for holds for the process. It is never closed: with the last one chDB would end.
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
