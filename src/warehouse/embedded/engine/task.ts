import type { Answer, Summary } from './answer.ts'
import type { ChdbAnswer, ChdbSession } from './chdb.ts'
import type { Counters, CounterWatch } from './counters.ts'
import type { Fifos } from './fifos.ts'
import type { StatementRequest } from './request.ts'
import type { ReadSoFar, Running } from './running.ts'
import type { Sessions } from './sessions.ts'

/** What all statements share. */
export type Engine = {
  readonly sessions: Sessions
  readonly fifos: Fifos
  readonly running: Running
  readonly counters: Counters
  readonly spoolPath: string
  /** A file name that is unique in the spool. */
  readonly nextFile: () => string
  readonly version: string
}

/** One requested statement. */
export type Task = {
  readonly engine: Engine
  readonly request: StatementRequest
  readonly answer: Answer
  /** Aborted when the client disconnects. */
  readonly gone: AbortSignal
}

/** A task in its session. */
export type StatementInput = Task & {
  readonly session: ChdbSession
  /** Running since before the statement, if it writes or must report what it has read. */
  readonly counts: CounterWatch
}

/** Call it while the statement is still registered as running. `read`: everything it read; null: unknown, so the last polled value is used. */
export const toSummary = (
  { engine, request }: Task,
  { rowsRead, bytesRead, elapsed }: ChdbAnswer,
  read: ReadSoFar | null = null,
): Summary => {
  const seen = engine.running.seen(request.queryId)
  return {
    // The result counts as read too.
    readRows: read?.rows ?? Math.max(seen.rows, rowsRead),
    readBytes: read?.bytes ?? Math.max(seen.bytes, bytesRead),
    resultRows: rowsRead,
    resultBytes: bytesRead,
    writtenRows: 0,
    writtenBytes: 0,
    elapsedMs: elapsed * 1000,
  }
}
