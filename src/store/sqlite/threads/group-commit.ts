import type { Database } from '../database.ts'
import { RunChanges } from '../runs/run-changes.ts'
import { EffectLog, type Writer, type WriterMemory } from '../writer.ts'
import { type Answer, type Call, type Reply, toFault } from './calls.ts'

type Operations = Readonly<Record<string, (writer: Writer, input: never) => unknown>>

/**
 * Runs all calls in one transaction, so that they share one disk flush. Each has a savepoint, so a refused call does not undo the others. A failure
 * of the commit itself (a full disk) refuses all.
 */
export const commitTogether = (options: {
  db: Database
  memory: WriterMemory
  operations: Operations
  calls: readonly Call[]
}): Reply => {
  const { db, calls, memory } = options
  const effects = new EffectLog()
  try {
    db.run('BEGIN IMMEDIATE')
    const perform = calls.length === 1 ? performAlone : performInSavepoint
    const answers = calls.map(call => perform({ ...options, effects, call }))
    db.run('COMMIT')
    return { answers, effects: effects.take() }
  } catch (error) {
    undo(db, memory)
    const fault = toFault(error)
    return { answers: calls.map(([id]) => [id, null, fault]), effects: null }
  }
}

type Performance = {
  readonly db: Database
  readonly memory: WriterMemory
  readonly operations: Operations
  readonly effects: EffectLog
  readonly call: Call
}

/** A single call needs no savepoint besides the transaction. */
const performAlone = ({ db, memory, operations, effects, call }: Performance): Answer => {
  const [id, operation, input, now] = call
  return [id, operations[operation]!({ db, memory, effects, now, runs: new RunChanges() }, input as never), null]
}

const performInSavepoint = (performance: Performance): Answer => {
  const { db, memory, effects, call } = performance
  const mark = effects.mark()
  db.run('SAVEPOINT call')
  try {
    const answer = performAlone(performance)
    db.run('RELEASE call')
    return answer
  } catch (error) {
    // After some errors (a full disk) SQLite has rolled back the whole transaction, so no call took effect.
    if (!db.isTransaction) throw error
    db.run('ROLLBACK TO call')
    db.run('RELEASE call')
    effects.rewind(mark)
    forget(memory)
    return [call[0], null, toFault(error)]
  }
}

const undo = (db: Database, memory: WriterMemory): void => {
  forget(memory)
  if (db.isTransaction) db.run('ROLLBACK')
}

/** Drops cached facts that may have been rolled back. */
const forget = (memory: WriterMemory): void => {
  memory.scopeSets.clear()
  memory.sumMark = null
}
