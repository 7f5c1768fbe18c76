import type { BoundSelect } from '../model/bound-select.ts'
import type { ResultFormat } from '../model/job.ts'
import type { InspectedSelect } from './sql-guard.ts'

/**
 * Where the workspaces' tables are and SQL runs: ClickHouse, either embedded or a server. Embedded means chDB in its own process, one per workspace, which
 * offers ClickHouse's HTTP interface on a unix socket. One implementation over that interface serves both; they differ only in how a workspace's address is
 * found (`engines.ts`).
 * Everything is scoped to a workspace. One never sees another's tables, nor `system` tables that reveal others. Users' statements run only through `query`,
 * which accepts one SELECT approved by the guard and runs it readonly within its limits.
 */
export interface Warehouse {
  /** Starts a user's SELECT. Resolves when its first bytes (or its end) are available; throws `WarehouseError` if it fails before that. */
  query(query: UserQuery): Promise<RunningQuery>
  /**
   * Approves a user's expression (a sorting key, a condition) and returns the text to use in a statement of the server. Throws `WarehouseError('sql_error')` if
   * it contains a query, calls a forbidden function or does not parse.
   */
  checkExpression(input: { workspace: string; sql: string }): Promise<string>
  /** Approves a user's SELECT and returns the text to use in a statement of the server (`INSERT … SELECT`). Throws `WarehouseError('sql_error')`. */
  checkSelect(input: {
    workspace: string
    sql: string
    parameters?: Readonly<Record<string, unknown>>
  }): Promise<string>
  /** Approves a user's SELECT to be stored; see `SqlGuard`. Throws `WarehouseError('sql_error')`. */
  inspectSelect(input: { workspace: string; sql: string }): Promise<InspectedSelect>
  /** Finds where names in a user's SELECT mean tables, without approving it; see `SqlGuard`. Throws `WarehouseError('sql_error')`. */
  bindSelect(input: {
    workspace: string
    sql: string
    parameters?: Readonly<Record<string, unknown>>
  }): Promise<BoundSelect>
  /** The columns of a SELECT according to the engine. Throws `WarehouseError`: `sql_error` for a table that does not exist. */
  describeSelect(input: { workspace: string; sql: string }): Promise<readonly DescribedColumn[]>
  /** A number that changes whenever the workspace's engine has ended or was unreachable: what was running or stored temporarily in it is then orphaned. */
  life(workspace: string): number
  /** The workspace's live database: `live`, or the server's name for it. Must be quoted. */
  database(workspace: string): string
  /** Stops a query or statement within a second. No error if it has already ended. */
  cancel(input: { workspace: string; queryId: string }): Promise<void>
  /** The progress of a running query; null if it is not running. */
  progress(input: { workspace: string; queryId: string }): Promise<QueryProgress | null>
  /**
   * Runs a statement of the server itself, never of a user: DDL, INSERT … SELECT, ALTER. Values are bound as `{name:Type}`, identifiers quoted with
   * `quoteIdentifier`.
   */
  command(statement: Statement): Promise<void>
  /**
   * The same for a statement that reports what it has read. The counts are exact if no other statement runs in an embedded engine meanwhile, and otherwise
   * lower bounds.
   */
  measuredCommand(statement: Statement): Promise<WasRead>
  /** Rows of one of the server's own statements, as objects, with 64-bit integers as text. For small results. */
  rows<Row extends object>(statement: Statement): Promise<readonly Row[]>
  /** Streams the result of one of the server's own statements in its `default_format`, for large results. Read it to the end or abandon it with `return()`. */
  stream(statement: Statement): Promise<AsyncIterable<Uint8Array>>
  /** Streams content into `INSERT INTO … FORMAT …`. */
  insert(statement: Statement & { readonly content: AsyncIterable<Uint8Array> }): Promise<void>
  /**
   * A folder on this machine, created if missing, from which the workspace's engine can read a file named in a statement (`file('<path>', …)`). null: the
   * engine is elsewhere, and content is sent to it (`insert`).
   */
  importFolder(workspace: string): string | null
  /** What keeps data jobs from running (a missing package, an unreachable server), for `/readyz`; null: no problem known. */
  problem(): Promise<string | null>
  /** What an operator should know although everything works (engines cannot be confined here); null: no warning known. */
  warning(): string | null
  /** Stops the engines of this process; statements running in them fail with `engine_lost`. */
  close(): Promise<void>
}

export type DescribedColumn = { readonly name: string; readonly type: string }

export type Statement = {
  readonly workspace: string
  readonly sql: string
  readonly parameters?: Readonly<Record<string, unknown>>
  /** The id for `cancel` and `progress`; generated if absent. */
  readonly queryId?: string
  /** ClickHouse settings of this statement. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** The database of unqualified names; default: the workspace's live one. */
  readonly database?: string
  readonly signal?: AbortSignal
}

export type UserQuery = {
  readonly workspace: string
  readonly queryId: string
  readonly sql: string
  /** The engine binds them to `{name:Type}`. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly format: ResultFormat
  readonly limits: QueryLimits
  readonly signal: AbortSignal
}

export type QueryLimits = {
  /** Measured by the engine; the job's own timeout also applies. */
  readonly timeoutMs: number | null
  readonly memoryBytes: number
  /** null: as many as the engine has. */
  readonly threads: number | null
  /** The most rows of a result; more is an error. null: unlimited. */
  readonly resultRows: number | null
}

export type RunningQuery = {
  /** The formatted result. Ends, or throws `WarehouseError` in mid-stream. Leaving it early cancels the query. */
  readonly content: AsyncIterable<Uint8Array>
  /** Resolves after the last byte; rejects when `content` does. */
  readonly summary: Promise<QuerySummary>
}

export type WasRead = Pick<QuerySummary, 'rowsRead' | 'bytesRead'>

export type QuerySummary = {
  /** Rows of the result. */
  readonly rowCount: number
  readonly rowsRead: number
  readonly bytesRead: number
  readonly elapsedMs: number
}

export type QueryProgress = {
  readonly rowsRead: number
  readonly bytesRead: number
  /** The engine's estimate; null: unknown. */
  readonly totalRows: number | null
}

/**
 * A failure in the warehouse.
 * - `sql_error`: the statement is at fault; the message includes the position if there is one.
 * - `query_memory`, `query_timeout`, `query_rows`: the statement exceeded a limit.
 * - `cancelled`: as requested.
 * - `disk_full`: no space left on the engine's disk.
 * - `engine_lost`: the engine or the connection broke; `engine_unavailable`: there is none. These two are the system's failures, all others the user's.
 */
export class WarehouseError extends Error {
  readonly reason: WarehouseFault

  constructor(reason: WarehouseFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'WarehouseError'
    this.reason = reason
  }
}

export type WarehouseFault =
  | 'sql_error'
  | 'query_memory'
  | 'query_timeout'
  | 'query_rows'
  | 'cancelled'
  | 'disk_full'
  | 'engine_lost'
  | 'engine_unavailable'

/** The engine is unreachable or has broken; that says nothing about the statement. */
export const isAway = (error: unknown): boolean =>
  error instanceof WarehouseError && (error.reason === 'engine_lost' || error.reason === 'engine_unavailable')

/** The statement is at fault. */
export const isSqlError = (error: unknown): error is WarehouseError =>
  error instanceof WarehouseError && error.reason === 'sql_error'

/** For a statement that may be faulty: returns null for `sql_error`, rethrows everything else. */
export const nullOfSqlError = (error: unknown): null => {
  if (isSqlError(error)) return null
  throw error
}
