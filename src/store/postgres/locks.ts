import { arrayLiteral } from './array-literal.ts'
import type { Queryable, Statement } from './database.ts'
import { Effects } from './jobs/effects.ts'
import { lockKeys, type WorkspaceKey } from './jobs/exclusive-keys.ts'
import { Touched } from './runs/run-changes.ts'
import type { Session } from './session.ts'

export type Wanted = {
  readonly runs?: Iterable<string>
  readonly keys?: Iterable<WorkspaceKey>
  readonly workflows?: Iterable<string>
}

/** The transaction needs a lock that precedes, in lock order, one it already has. */
class MissingLocks extends Error {
  readonly wanted: Wanted

  constructor(wanted: Wanted) {
    super('The transaction begins again with more locks.')
    this.wanted = wanted
  }
}

/**
 * The locks of one transaction. Moving items of a run requires its run row; taking or freeing an exclusive key requires the key; creating or ending
 * runs of a workflow requires its workflow row. They are always taken in this order, sorted within each kind, so there are no deadlocks. If the work
 * turns out to need an earlier lock, the transaction restarts with it (`withLocks`).
 */
export class Locks {
  readonly #runs = new Set<string>()
  readonly #keys = new Map<string, WorkspaceKey>()
  readonly #workflows = new Set<string>()

  add({ runs = [], keys = [], workflows = [] }: Wanted): void {
    for (const run of runs) this.#runs.add(run)
    for (const key of keys) this.#keys.set(nameOf(key), key)
    for (const workflow of workflows) this.#workflows.add(workflow)
  }

  /** Throws unless all are held. */
  need({ runs = [], keys = [], workflows = [] }: Wanted): void {
    const missing = {
      runs: [...runs].filter(run => !this.#runs.has(run)),
      keys: [...keys].filter(key => !this.#keys.has(nameOf(key))),
      workflows: [...workflows].filter(workflow => !this.#workflows.has(workflow)),
    }
    if (missing.runs.length + missing.keys.length + missing.workflows.length > 0) throw new MissingLocks(missing)
  }

  /** Workflows are last in lock order, so the first ones needed can still be locked late. */
  async needWorkflows(connection: Queryable, workflows: Iterable<string>): Promise<void> {
    const ids = [...new Set(workflows)]
    if (this.#workflows.size > 0) return this.need({ workflows: ids })
    this.add({ workflows: ids })
    await lockRows(connection, LOCK_WORKFLOWS, this.#workflows)
  }

  async take(connection: Queryable): Promise<void> {
    await Promise.all([
      lockRows(connection, LOCK_RUNS, this.#runs),
      lockKeys(connection, [...this.#keys.values()]),
      lockRows(connection, LOCK_WORKFLOWS, this.#workflows),
    ])
  }
}

const nameOf = ({ workspace, exclusiveKey }: WorkspaceKey): string => JSON.stringify([workspace, exclusiveKey])

const LOCK_RUNS: Statement = {
  name: 'lock_runs',
  text: 'SELECT FROM millrace.run WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE',
}

const LOCK_WORKFLOWS: Statement = {
  name: 'lock_workflows',
  text: 'SELECT FROM millrace.workflow WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE',
}

const lockRows = async (connection: Queryable, statement: Statement, ids: ReadonlySet<string>): Promise<void> => {
  if (ids.size > 0) await connection.query(statement, [arrayLiteral([...ids], id => id)])
}

const LOCK_JOBS: Statement = {
  name: 'lock_jobs',
  text: 'SELECT FROM millrace.live WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE',
}

/** Whatever locks many rows of `live` locks them in the order of their ids, so that two transactions never wait for each other. */
export const lockJobs = async (connection: Queryable, ids: readonly string[]): Promise<void> => {
  await connection.query(LOCK_JOBS, [arrayLiteral(ids, id => id)])
}

/** Shared by the steps of one locked transaction. */
export type Work = {
  readonly connection: Queryable
  readonly locks: Locks
  readonly effects: Effects
  readonly touched: Touched
  /** First parameter of statements that need the time. */
  readonly now: number | null
}

/**
 * Runs one transaction under these locks, and again with more locks if it needs more; reports its effects after the commit. Registers in
 * `QueueingCalls`, since it may queue jobs.
 */
export const withLocks = <T>(session: Session, wanted: Wanted, work: (work: Work) => Promise<T>): Promise<T> =>
  session.queueing.ofAny(runLocked(session, wanted, work))

const runLocked = async <T>(session: Session, wanted: Wanted, work: (work: Work) => Promise<T>): Promise<T> => {
  const { result, effects } = await repeatWithMore(session, wanted, work)
  effects.tell(session)
  return result
}

const repeatWithMore = async <T>(
  session: Session,
  wanted: Wanted,
  work: (work: Work) => Promise<T>,
): Promise<{ result: T; effects: Effects }> => {
  let all = [wanted]
  for (;;) {
    try {
      return await session.database.transaction(async connection => {
        const locks = new Locks()
        for (const some of all) locks.add(some)
        const effects = new Effects()
        // Pipelined with the first statement of the work, which runs once the locks are held.
        const [, result] = await Promise.all([
          locks.take(connection),
          work({ connection, locks, effects, touched: new Touched(), now: session.now() }),
        ])
        return { result, effects }
      })
    } catch (error) {
      if (!(error instanceof MissingLocks)) throw error
      all = [...all, error.wanted]
    }
  }
}
