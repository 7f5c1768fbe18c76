import type { Database } from '../database.ts'
import { RunChanges } from '../runs/run-changes.ts'
import { EffectLog, type Writer, type WriterMemory } from '../writer.ts'
import { type Answer, type Call, type Reply, toFault } from './calls.ts'

type Operations = Readonly<Record<string, (writer: Writer, input: never) => unknown>>

/**
 * Carries out all calls in one transaction, so that they share one wait for the disk. Each has a savepoint: one that is
 * refused does not undo its neighbours. A fault of the commit itself (a full disk) refuses all of them.
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

/** With one call the transaction is its savepoint. */
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
    // After some faults (a full disk) SQLite has rolled back the whole transaction: then none of the calls holds.
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

/** What was learned from something that has been undone. */
const forget = (memory: WriterMemory): void => {
  memory.scopeSets.clear()
  memory.sumMark = null
}
