import type { Answer, Summary } from './answer.ts'
import type { ChdbAnswer, ChdbSession } from './chdb.ts'
import type { Counters, CounterWatch } from './counters.ts'
import type { Fifos } from './fifos.ts'
import type { StatementRequest } from './request.ts'
import type { ReadSoFar, Running } from './running.ts'
import type { Sessions } from './sessions.ts'

/** What statements share. */
export type Engine = {
  readonly sessions: Sessions
  readonly fifos: Fifos
  readonly running: Running
  readonly counters: Counters
  readonly spoolPath: string
  /** A name that no other file in the spool has. */
  readonly nextFile: () => string
  readonly version: string
}

/** One statement that was asked for. */
export type Task = {
  readonly engine: Engine
  readonly request: StatementRequest
  readonly answer: Answer
  /** Aborted when the client has gone away. */
  readonly gone: AbortSignal
}

/** A task in its session. */
export type StatementInput = Task & {
  readonly session: ChdbSession
  /** Since before the statement, where it writes a file or must tell what it has read. */
  readonly counts: CounterWatch
}

/** To be made while the statement is among those that run. `read`: all of it; null: it is not known, and what was seen counts. */
export const toSummary = (
  { engine, request }: Task,
  { rowsRead, bytesRead, elapsed }: ChdbAnswer,
  read: ReadSoFar | null = null,
): Summary => {
  const seen = engine.running.seen(request.queryId)
  return {
    // A result is read too.
    readRows: read?.rows ?? Math.max(seen.rows, rowsRead),
    readBytes: read?.bytes ?? Math.max(seen.bytes, bytesRead),
    resultRows: rowsRead,
    resultBytes: bytesRead,
    writtenRows: 0,
    writtenBytes: 0,
    elapsedMs: elapsed * 1000,
  }
}
