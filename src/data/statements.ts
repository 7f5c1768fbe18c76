import type { ClaimedJob } from '../model/job.ts'
import type { QueryProgress, Statement, Warehouse } from '../warehouse/warehouse.ts'

/** Statements of one attempt, one after the other or side by side: a stop ends those that run and lets none begin. */
export interface Statements {
  /** Throws `WarehouseError`: `cancelled` when the attempt is to stop. */
  command(statement: Omit<Statement, 'workspace' | 'queryId' | 'signal'>): Promise<void>
  rows<Row extends object>(statement: Omit<Statement, 'workspace' | 'queryId' | 'signal'>): Promise<readonly Row[]>
  insert(
    statement: Omit<Statement, 'workspace' | 'queryId' | 'signal'> & { content: AsyncIterable<Uint8Array> },
  ): Promise<void>
  /** How far the statement is that was begun last; null: it does not run. */
  progress(): Promise<QueryProgress | null>
}

type Options = {
  readonly warehouse: Warehouse
  readonly job: Pick<ClaimedJob, 'id' | 'attempt' | 'workspace'>
  readonly signal: AbortSignal
}

export const createStatements = ({ warehouse, job, signal }: Options): Statements => {
  const { workspace } = job
  let count = 0
  let last: string | null = null

  const run = async <T>(work: (named: { workspace: string; queryId: string; signal: AbortSignal }) => Promise<T>) => {
    // Two attempts of a job may meet in the engine: the first is only about to notice that its worker is gone.
    const queryId = `${job.id}.${job.attempt}.${++count}`
    last = queryId
    // A server goes on with an INSERT whose client has left.
    const cancel = (): void => void warehouse.cancel({ workspace, queryId }).catch(() => {})
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return await work({ workspace, queryId, signal })
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  return {
    command: statement => run(named => warehouse.command({ ...statement, ...named })),
    rows: <Row extends object>(statement: Parameters<Statements['rows']>[0]) =>
      run(named => warehouse.rows<Row>({ ...statement, ...named })),
    insert: statement => run(named => warehouse.insert({ ...statement, ...named })),
    progress: async () => (last === null ? null : warehouse.progress({ workspace, queryId: last })),
  }
}
