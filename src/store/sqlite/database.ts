import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

export type SqlValue = SQLInputValue

/** A connection that prepares each statement once, by its text, and returns rows as arrays. */
export class Database {
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(path: string, options: { readOnly: boolean; pragmas: readonly string[] }) {
    this.#connection = connect(path, options.readOnly)
    for (const pragma of options.pragmas) this.#connection.exec(`PRAGMA ${pragma}`)
  }

  /** Runs statements without result rows, for schemas and transactions. */
  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  /** Runs a prepared statement; returns how many rows it changed. */
  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes)
  }

  get<Row extends readonly unknown[]>(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepared(sql).get(...values) as Row | undefined
  }

  all<Row extends readonly unknown[]>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#prepared(sql).all(...values) as unknown as Row[]
  }

  get isTransaction(): boolean {
    return this.#connection.isTransaction
  }

  close(): void {
    this.#connection.close()
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#connection.prepare(sql)
    statement.setReturnArrays(true)
    // List queries generate many different texts; the hot ones are re-prepared as soon as they are used again.
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear()
    this.#statements.set(sql, statement)
    return statement
  }
}

const MAX_STATEMENTS = 500

const connect = (path: string, readOnly: boolean): DatabaseSync => {
  try {
    return new DatabaseSync(path, { readOnly, enableForeignKeyConstraints: false })
  } catch (error) {
    // SQLite's own message ("unable to open database file") does not say which.
    ;(error as Error).message += `: ${path}`
    throw error
  }
}

/** The only connection that writes. FULL: a commit returns once the write-ahead log is on disk. */
export const openForWriting = (path: string): Database =>
  new Database(path, {
    readOnly: false,
    pragmas: [
      'busy_timeout = 5000',
      'page_size = 4096',
      'journal_mode = WAL',
      'synchronous = FULL',
      `wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
      'journal_size_limit = 67108864',
      'cache_size = -32768',
      'temp_store = MEMORY',
    ],
  })

/** A checkpoint writes each page once however often it changed, so fewer, larger checkpoints cost less. Keeps the log to about 32 MiB. */
const CHECKPOINT_PAGES = 8192

export const openForReading = (path: string): Database =>
  new Database(path, {
    readOnly: true,
    pragmas: ['busy_timeout = 5000', 'query_only = ON', 'cache_size = -32768', 'temp_store = MEMORY'],
  })
