import type { ClaimedJob } from '../model/job.ts'
import type { QueryProgress, Statement, Warehouse, WasRead } from '../warehouse/warehouse.ts'

/** The statements of one attempt, sequential or parallel. A stop cancels those that run and starts no more. */
export interface Statements {
  /** Throws `WarehouseError`: `cancelled` if the attempt is being stopped. */
  command(statement: Own & TimesRead): Promise<void>
  /** `Warehouse.measuredCommand`. */
  measuredCommand(statement: Own): Promise<WasRead>
  rows<Row extends object>(statement: Own): Promise<readonly Row[]>
  /** Streams the result, in its `default_format`, to `take`, which must read it to the end. */
  stream<T>(statement: Own, take: (answer: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>
  insert(statement: Own & TimesRead & { content: AsyncIterable<Uint8Array> }): Promise<void>
  /** The progress of the statement started last; null: it is not running. */
  progress(): Promise<QueryProgress | null>
}

type Own = Omit<Statement, 'workspace' | 'queryId' | 'signal'>

/** How often each row is read: once, plus once for each view it is passed on to; default 1. Progress counts it once. */
type TimesRead = { readonly timesRead?: number }

type Options = {
  readonly warehouse: Warehouse
  readonly job: Pick<ClaimedJob, 'id' | 'attempt' | 'workspace'>
  readonly signal: AbortSignal
}

export const createStatements = ({ warehouse, job, signal }: Options): Statements => {
  const { workspace } = job
  let count = 0
  let last: { readonly queryId: string; readonly timesRead: number } | null = null

  type Named = { workspace: string; queryId: string; signal: AbortSignal }
  const run = async <T>(work: (named: Named) => Promise<T>, timesRead = 1): Promise<T> => {
    // Two attempts of a job may overlap in the engine, if the worker of the first has not yet noticed that its lease is lost.
    const queryId = `${job.id}.${job.attempt}.${++count}`
    last = { queryId, timesRead }
    // A server continues an INSERT whose client has disconnected.
    const cancel = (): void => void warehouse.cancel({ workspace, queryId }).catch(() => {})
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return await work({ workspace, queryId, signal })
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  return {
    command: ({ timesRead, ...statement }) => run(named => warehouse.command({ ...statement, ...named }), timesRead),
    measuredCommand: statement => run(named => warehouse.measuredCommand({ ...statement, ...named })),
    rows: <Row extends object>(statement: Own) => run(named => warehouse.rows<Row>({ ...statement, ...named })),
    stream: (statement, take) => run(async named => take(await warehouse.stream({ ...statement, ...named }))),
    insert: ({ timesRead, ...statement }) => run(named => warehouse.insert({ ...statement, ...named }), timesRead),
    progress: async () => {
      if (last === null) return null
      const { queryId, timesRead } = last
      const progress = await warehouse.progress({ workspace, queryId })
      return progress && { ...progress, rowsRead: Math.round(progress.rowsRead / timesRead) }
    },
  }
}
