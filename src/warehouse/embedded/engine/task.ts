import type { Answer, Summary } from './answer.ts'
import type { ChdbAnswer, ChdbSession } from './chdb.ts'
import type { Fifos } from './fifos.ts'
import type { StatementRequest } from './request.ts'
import type { Running } from './running.ts'
import type { Sessions } from './sessions.ts'
import type { WriteFaults, WriteWatch } from './write-faults.ts'

/** What statements share. */
export type Engine = {
  readonly sessions: Sessions
  readonly fifos: Fifos
  readonly running: Running
  readonly writeFaults: WriteFaults
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
  /** Since before the statement, where it writes a file. */
  readonly writes: WriteWatch
}

/** To be made while the statement is among those that run. */
export const toSummary = ({ engine, request }: Task, { rowsRead, bytesRead, elapsed }: ChdbAnswer): Summary => {
  const read = engine.running.seen(request.queryId)
  return {
    // A result is read too.
    readRows: Math.max(read.rows, rowsRead),
    readBytes: Math.max(read.bytes, bytesRead),
    resultRows: rowsRead,
    resultBytes: bytesRead,
    writtenRows: 0,
    writtenBytes: 0,
    elapsedMs: elapsed * 1000,
  }
}
