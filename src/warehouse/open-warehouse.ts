import { Readable } from 'node:stream'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import { unlessAborted } from '../kernel/unless-aborted.ts'
import { type CallAnswer, createConnections, type EngineSummary } from './connection.ts'
import { withDeadline } from './deadline.ts'
import { type EngineGate, openEngines } from './engines.ts'
import { createKnownColumns } from './known-columns.ts'
import { ANALYSIS_LIMITS, KEPT_DEPTH } from './limit-settings.ts'
import { createSqlGuard, type SqlGuard } from './sql-guard.ts'
import { startUserQuery } from './user-query.ts'
import type { DescribedColumn, Statement, Warehouse } from './warehouse.ts'

type Options = {
  readonly config: Pick<Config, 'clickhouseUrl' | 'engineMemoryBytes' | 'databaseUrl'>
  readonly dataDir: string
  readonly gate?: EngineGate | null
  readonly logger: Logger
  readonly clock: Clock
  /** How long the engine may analyse users' SQL before it runs. */
  readonly analysisMs?: number
}

/** Within `ANALYSIS_LIMITS`, analysis takes a few seconds at most on an otherwise idle machine. */
const ANALYSIS_MS = 20_000

/** The warehouse of this server. Starts nothing and opens no connection before first use. */
export const openWarehouse = (options: Options): Warehouse => {
  const engines = openEngines(options)
  const connections = createConnections()
  const guards = new Map<string, SqlGuard>()
  const knownColumns = createKnownColumns()

  /** Starts one of the server's own statements. */
  const begin = async (statement: Statement, content?: Readable): Promise<CallAnswer> => {
    const { workspace, database = engines.database(workspace), ...rest } = statement
    const { own } = await engines.endpoints(workspace)
    return connections.call({ endpoint: own, database, ...rest, ...(content && { content }) })
  }

  /** Runs one to completion. */
  const run = async (statement: Statement, content?: Readable) => {
    const answer = await begin(statement, content)
    const parts: Uint8Array[] = []
    for await (const part of answer.content) parts.push(part)
    return { bytes: Buffer.concat(parts), summary: answer.summary() }
  }

  const rows = async <Row extends object>(statement: Statement): Promise<readonly Row[]> => {
    const { bytes } = await run({ ...statement, settings: { ...ROWS, ...statement.settings } })
    return bytes
      .toString('utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Row)
  }

  /** Runs a statement that may change tables. */
  const change = async (statement: Statement): Promise<EngineSummary> => {
    knownColumns.forget()
    try {
      return (await run({ ...statement, settings: { ...COMMAND, ...statement.settings } })).summary
    } finally {
      knownColumns.forget()
    }
  }

  const guardOf = (workspace: string): SqlGuard => {
    const database = engines.database(workspace)
    const guard = guards.get(workspace) ?? createSqlGuard({ database, rows: input => understand(workspace, input) })
    guards.set(workspace, guard)
    return guard
  }

  /** The rows of a statement that only inspects users' SQL. */
  const understand = async <Row extends object>(
    workspace: string,
    statement: Omit<Statement, 'workspace'>,
  ): Promise<readonly Row[]> => {
    // The deadline does not include starting an engine.
    await engines.endpoints(workspace)
    return withDeadline({
      deadlineMs: options.analysisMs ?? ANALYSIS_MS,
      cancel: queryId => cancel({ workspace, queryId }),
      work: named => {
        const settings = { ...ANALYSIS_LIMITS, ...READONLY, ...statement.settings }
        return rows<Row>({ workspace, ...statement, ...named, settings })
      },
    })
  }

  const cancel = async ({ workspace, queryId }: { workspace: string; queryId: string }): Promise<void> => {
    // SYNC would wait, and hung in the embedded engine.
    await run({ workspace, sql: 'KILL QUERY WHERE query_id = {id:String} ASYNC', parameters: { id: queryId } })
  }

  return {
    database: workspace => engines.database(workspace),
    query: async query => {
      const { workspace, signal } = query
      const sql = await unlessAborted(signal, guardOf(workspace).checkSelect(query))
      const endpoints = await unlessAborted(signal, engines.endpoints(workspace))
      const database = engines.database(workspace)
      return startUserQuery({ query: { ...query, sql }, database, endpoints, connections, knownColumns })
    },
    checkExpression: ({ workspace, ...input }) => guardOf(workspace).checkExpression(input),
    checkSelect: ({ workspace, ...input }) => guardOf(workspace).checkSelect(input),
    bindSelect: ({ workspace, ...input }) => guardOf(workspace).bindSelect(input),
    inspectSelect: ({ workspace, sql }) => guardOf(workspace).inspectSelect({ sql }),
    describeSelect: ({ workspace, sql }) =>
      understand<DescribedColumn>(workspace, { sql: `DESCRIBE TABLE (\n${sql}\n)`, settings: KEPT_DEPTH }),
    cancel,
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
    command: async statement => void (await change(statement)),
    measuredCommand: async statement => {
      const { read_rows, read_bytes } = await change({ ...statement, settings: { ...TELLS, ...statement.settings } })
      return { rowsRead: Number(read_rows ?? 0), bytesRead: Number(read_bytes ?? 0) }
    },
    rows,
    stream: async statement => (await begin(statement)).content,
    insert: async ({ content, ...statement }) => {
      const settings = { ...INSERT, ...statement.settings }
      await run({ ...statement, settings }, Readable.from(content, { objectMode: false }))
    },
    life: workspace => engines.life(workspace),
    importFolder: workspace => engines.importFolder(workspace),
    problem: () => engines.problem(),
    warning: () => engines.warning(),
    close: () => engines.close(),
  }
}

/** By default the engine refuses to drop more than 50 GB at once, even data that is no longer visible. */
const COMMAND = { max_table_size_to_drop: 0, max_partition_size_to_drop: 0 }

/** Response headers are sent only when the read counts are known. */
const TELLS = { wait_end_of_query: 1 }

/** By default a server may batch the rows of several inserts, and answer before they are readable. */
const INSERT = { async_insert: 0 }

/** `default_format` instead of a FORMAT clause: after EXPLAIN, that would belong to the explained statement. Types are on one line, as they are stored. */
const ROWS = {
  default_format: 'JSONEachRow',
  output_format_json_quote_64bit_integers: 1,
  print_pretty_type_names: 0,
}

const READONLY = { readonly: 1 }

const PROGRESS_SQL =
  'SELECT read_rows, read_bytes, total_rows_approx FROM system.processes WHERE query_id = {id:String}'
