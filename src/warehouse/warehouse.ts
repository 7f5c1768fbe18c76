import type { BoundSelect } from '../model/bound-select.ts'
import type { ResultFormat } from '../model/job.ts'
import type { InspectedSelect } from './sql-guard.ts'

/**
 * Where the tables of the workspaces are and SQL runs: ClickHouse, embedded (chDB in a process of its own, one per
 * workspace, that speaks ClickHouse's HTTP interface on a unix socket) or a server. One implementation over that
 * interface serves both; what differs is how a workspace's address is found (`engines.ts`).
 *
 * Everything is by workspace: one never sees another's tables, nor `system` tables that tell of others. A statement of a
 * user runs through `query` alone, which lets one SELECT pass the guard and runs it readonly within its limits.
 */
export interface Warehouse {
  /** Starts a user's SELECT. Resolves when its first bytes (or its end) are there; throws `WarehouseError` when it does not get so far. */
  query(query: UserQuery): Promise<RunningQuery>
  /**
   * A user's expression (of a sorting key, a condition) as text that may stand in a statement of the server. Throws
   * `WarehouseError('sql_error')` for one that holds a query or calls what it may not, or that does not parse.
   */
  checkExpression(input: { workspace: string; sql: string }): Promise<string>
  /** A user's SELECT that is to run as a part of a statement of the server's (`INSERT … SELECT`): the text that may. Throws `WarehouseError('sql_error')`. */
  checkSelect(input: {
    workspace: string
    sql: string
    parameters?: Readonly<Record<string, unknown>>
  }): Promise<string>
  /** A user's SELECT that is to be kept; see `SqlGuard`. Throws `WarehouseError('sql_error')`. */
  inspectSelect(input: { workspace: string; sql: string }): Promise<InspectedSelect>
  /** Where names in a user's SELECT mean tables. Not judged; see `SqlGuard`. Throws `WarehouseError('sql_error')`. */
  bindSelect(input: {
    workspace: string
    sql: string
    parameters?: Readonly<Record<string, unknown>>
  }): Promise<BoundSelect>
  /** The columns that a SELECT gives, as the engine sees them. Throws `WarehouseError`: `sql_error` for a table that does not exist. */
  describeSelect(input: { workspace: string; sql: string }): Promise<readonly DescribedColumn[]>
  /** Becomes another number whenever the engine of a workspace has ended or was away: what was left in it then is nobody's. */
  life(workspace: string): number
  /** The live database of a workspace: `live`, or the server's name for it. To be quoted. */
  database(workspace: string): string
  /** Stops a query or statement within a second; one that has ended is no error. */
  cancel(input: { workspace: string; queryId: string }): Promise<void>
  /** How far a running query is; null when it is not running (any more). */
  progress(input: { workspace: string; queryId: string }): Promise<QueryProgress | null>
  /** A statement of the server itself, never of a user: DDL, INSERT … SELECT, ALTER. Values are bound as `{name:Type}`, identifiers quoted with `quoteIdentifier`. */
  command(statement: Statement): Promise<void>
  /** The same of one that tells what it has read: all, where no other statement of an embedded engine runs beside it, else at least so much. */
  measuredCommand(statement: Statement): Promise<WasRead>
  /** Rows of a statement of the server itself, as objects. 64-bit integers as text. For small answers. */
  rows<Row extends object>(statement: Statement): Promise<readonly Row[]>
  /** What a statement of the server itself answers, as its `default_format` has it, as it comes: for large answers. To be read to its end or left. */
  stream(statement: Statement): Promise<AsyncIterable<Uint8Array>>
  /** Streams content into `INSERT INTO … FORMAT …`. */
  insert(statement: Statement & { readonly content: AsyncIterable<Uint8Array> }): Promise<void>
  /**
   * A folder of this machine, made when missing, from which the engine of the workspace itself reads a file that a statement names
   * (`file('<path>', …)`); null: it is elsewhere, and content is sent to it (`insert`).
   */
  importFolder(workspace: string): string | null
  /** What keeps data jobs from running (a package is missing, a server cannot be reached), for `/readyz`; null: nothing known. */
  problem(): Promise<string | null>
  /** What an operator should know though all works (engines cannot be confined here); null: nothing, as far as is known. */
  warning(): string | null
  /** Ends engines of this process; what runs in them fails as `engine_lost`. */
  close(): Promise<void>
}

export type DescribedColumn = { readonly name: string; readonly type: string }

export type Statement = {
  readonly workspace: string
  readonly sql: string
  readonly parameters?: Readonly<Record<string, unknown>>
  /** To be cancelled and watched by; made when absent. */
  readonly queryId?: string
  /** ClickHouse settings of this statement. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** The database that unqualified names are in; the workspace's live one when absent. */
  readonly database?: string
  readonly signal?: AbortSignal
}

export type UserQuery = {
  readonly workspace: string
  readonly queryId: string
  readonly sql: string
  /** Bound by the engine to `{name:Type}`. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly format: ResultFormat
  readonly limits: QueryLimits
  readonly signal: AbortSignal
}

export type QueryLimits = {
  /** Of the engine's own clock; the job's timeout stands behind it. */
  readonly timeoutMs: number | null
  readonly memoryBytes: number
  /** null: all. */
  readonly threads: number | null
  /** Rows of the result; more is an error. null: any number. */
  readonly resultRows: number | null
}

export type RunningQuery = {
  /** The formatted result. Ends, or throws `WarehouseError` in the middle; leaving it early cancels the query. */
  readonly content: AsyncIterable<Uint8Array>
  /** Resolves after the last byte; rejects as `content` does. */
  readonly summary: Promise<QuerySummary>
}

export type WasRead = Pick<QuerySummary, 'rowsRead' | 'bytesRead'>

export type QuerySummary = {
  /** Of the result. */
  readonly rowCount: number
  readonly rowsRead: number
  readonly bytesRead: number
  readonly elapsedMs: number
}

export type QueryProgress = {
  readonly rowsRead: number
  readonly bytesRead: number
  /** As far as the engine can tell; null: unknown. */
  readonly totalRows: number | null
}

/**
 * What went wrong in the warehouse. `sql_error`: the statement (its text is at fault; the message names the position where
 * there is one). `query_memory`, `query_timeout`, `query_rows`: its limits. `cancelled`: as asked. `engine_lost`: the engine or the connection
 * broke; `engine_unavailable`: there is none. The last two are the system's failures, all others the user's.
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

/** The engine cannot be reached or has broken, which says nothing of the statement. */
export const isAway = (error: unknown): boolean =>
  error instanceof WarehouseError && (error.reason === 'engine_lost' || error.reason === 'engine_unavailable')

/** The fault is one of the statement. */
export const isSqlError = (error: unknown): error is WarehouseError =>
  error instanceof WarehouseError && error.reason === 'sql_error'

/** For a statement that may be wrong. Throws everything else. */
export const nullOfSqlError = (error: unknown): null => {
  if (isSqlError(error)) return null
  throw error
}
