import { Readable } from 'node:stream'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import { createConnections } from './connection.ts'
import { openEngines } from './engines.ts'
import { createSqlGuard, type GuardInput, type SqlGuard } from './sql-guard.ts'
import { startUserQuery } from './user-query.ts'
import type { Statement, Warehouse } from './warehouse.ts'

type Options = {
  readonly config: Pick<Config, 'clickhouseUrl' | 'engineMemoryBytes' | 'databaseUrl'>
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
}

/** The warehouse of this server. Starts nothing and connects nowhere before it is used. */
export const openWarehouse = (options: Options): Warehouse => {
  const engines = openEngines(options)
  const connections = createConnections()
  const guards = new Map<string, SqlGuard>()

  /** Runs a statement of the server's own to its end. */
  const run = async (statement: Statement, content?: Readable): Promise<Buffer> => {
    const { workspace, database = engines.database(workspace), ...rest } = statement
    const { own } = await engines.endpoints(workspace)
    const answer = await connections.call({
      endpoint: own,
      database,
      ...rest,
      ...(content === undefined ? {} : { content }),
    })
    const parts: Uint8Array[] = []
    for await (const part of answer.content) parts.push(part)
    return Buffer.concat(parts)
  }

  const rows = async <Row extends object>(statement: Statement): Promise<readonly Row[]> => {
    const answer = await run({ ...statement, settings: { ...ROWS, ...statement.settings } })
    return answer
      .toString('utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Row)
  }

  const guardOf = (workspace: string): SqlGuard => {
    const database = engines.database(workspace)
    const guard = guards.get(workspace) ?? createSqlGuard({ database, rows: input => rows({ workspace, ...input }) })
    guards.set(workspace, guard)
    return guard
  }

  return {
    database: workspace => engines.database(workspace),
    query: async query => {
      const { workspace } = query
      const sql = await guardOf(workspace).checkSelect(query)
      const endpoints = await engines.endpoints(workspace)
      return startUserQuery({ query: { ...query, sql }, database: engines.database(workspace), endpoints, connections })
    },
    checkExpression: ({ workspace, ...input }: GuardInput & { workspace: string }) =>
      guardOf(workspace).checkExpression(input),
    checkSelect: ({ workspace, ...input }: GuardInput & { workspace: string }) => guardOf(workspace).checkSelect(input),
    readSelect: ({ workspace, ...input }: GuardInput & { workspace: string }) => guardOf(workspace).readSelect(input),
    inspectSelect: ({ workspace, sql }) => guardOf(workspace).inspectSelect({ sql }),
    cancel: async ({ workspace, queryId }) => {
      // SYNC waits, and hung in the embedded engine.
      await run({ workspace, sql: 'KILL QUERY WHERE query_id = {id:String} ASYNC', parameters: { id: queryId } })
    },
    progress: async ({ workspace, queryId }) => {
      const [row] = await rows<{ read_rows: string; read_bytes: string; total_rows_approx: string }>({
        workspace,
        sql: PROGRESS_SQL,
        parameters: { id: queryId },
      })
      if (row === undefined) return null
      const totalRows = Number(row.total_rows_approx)
      return {
        rowsRead: Number(row.read_rows),
        bytesRead: Number(row.read_bytes),
        totalRows: totalRows === 0 ? null : totalRows,
      }
    },
    command: async statement => void (await run({ ...statement, settings: { ...COMMAND, ...statement.settings } })),
    rows,
    insert: async ({ content, ...statement }) =>
      void (await run(statement, Readable.from(content, { objectMode: false }))),
    importFolder: workspace => engines.importFolder(workspace),
    problem: () => engines.problem(),
    warning: () => engines.warning(),
    close: () => engines.close(),
  }
}

/** By itself the engine refuses to drop more than 50 GB at once, also what nobody can see any more. */
const COMMAND = { max_table_size_to_drop: 0, max_partition_size_to_drop: 0 }

/** Not as a FORMAT clause: behind EXPLAIN it would become a part of the statement that is explained. */
const ROWS = { default_format: 'JSONEachRow', output_format_json_quote_64bit_integers: 1 }

const PROGRESS_SQL =
  'SELECT read_rows, read_bytes, total_rows_approx FROM system.processes WHERE query_id = {id:String}'
