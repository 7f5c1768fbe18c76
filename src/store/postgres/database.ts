import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { toFault } from './fault.ts'
import { StatementNames } from './statement-names.ts'

/** A statement that each connection prepares once under its name. Without a name (`''`) it is planned on every execution, except on the `lister`. */
export type Statement = { readonly name: string; readonly text: string }

/**
 * A connection inside one transaction, or a pool where each statement is its own transaction. Inside a transaction, statements issued in the same
 * turn of the event loop are pipelined and run in that order.
 */
export interface Queryable {
  query<Row>(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]>
}

export interface Database extends Queryable {
  /** Runs `work` in a transaction; rolls back if it rejects, and retries after a deadlock or serialization failure. */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>
  /** For reads of many rows: separate connections, so that they never delay a submit or a claim. */
  readonly lister: Queryable
  /** For reads that may take seconds, planned by table statistics. */
  readonly reader: Queryable
  close(): Promise<void>
}

/** Connects lazily. When the database is lost, running calls reject and later calls reconnect. */
export const connectDatabase = (url: string): Database => {
  const hotUrl = withSettings(url, HOT_SETTINGS)
  const hot = createPool({ connectionString: hotUrl, max: HOT_CONNECTIONS, pipeline: true, ...TIMEOUTS })
  const listing = createPool({ connectionString: hotUrl, max: 3, ...TIMEOUTS })
  const reading = createPool({ connectionString: withSettings(url, COMMON_SETTINGS), max: 2, ...TIMEOUTS })
  const names = new StatementNames(MOST_LISTS)
  return {
    query: (statement, values) => retrying(() => run(hot, statement, values)),
    transaction: work => retrying(() => runTransaction(hot, work)),
    lister: { query: (statement, values) => retrying(() => run(listing, names.named(statement), values)) },
    reader: { query: (statement, values) => retrying(() => run(reading, statement, values)) },
    close: async () => {
      await Promise.all([hot.end(), listing.end(), reading.end()])
    },
  }
}

const HOT_CONNECTIONS = 8
/** How many kinds of list queries a connection keeps prepared. */
const MOST_LISTS = 100
const COMMON_SETTINGS = '-c synchronous_commit=on -c jit=off'
/**
 * A queue's statistics are always out of date: a plan made while `live` was empty would scan the whole table later. With one generic plan per
 * statement, on indexes and nested loops, every hot statement costs the same at any size. Only a plain index scan marks dead entries: with bitmap
 * scans, each list of running jobs would visit all that have run since the last vacuum.
 */
const HOT_SETTINGS = [
  COMMON_SETTINGS,
  '-c plan_cache_mode=force_generic_plan',
  '-c enable_seqscan=off',
  '-c enable_bitmapscan=off',
  '-c enable_hashjoin=off',
  '-c enable_mergejoin=off',
].join(' ')

const TIMEOUTS = {
  connectionTimeoutMillis: 10_000,
  statement_timeout: 60_000,
  // For a connection that died silently.
  query_timeout: 65_000,
  keepAlive: true,
} as const

/**
 * Adds settings to the URL. The driver's own `options` would be replaced by those of the URL, which some providers require. Adds no percent sign: the driver
 * encodes it again if a password has one that is not encoded.
 */
const withSettings = (url: string, settings: string): string => {
  const added = settings.replaceAll(' ', '+')
  const given = /(?<=[?&])options=[^&]*/
  if (given.test(url)) return url.replace(given, `$&+${added}`)
  return `${url}${url.includes('?') ? '&' : '?'}options=${added}`
}

const createPool = (config: pg.PoolConfig): pg.Pool => {
  const pool = new pg.Pool({ ...config, application_name: 'millrace', types: TYPES })
  // The pool replaces a broken connection and its user gets a rejection. An unhandled error event would end the process.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}

const toNumber = (text: string): number => Number(text)
const NUMBERS = new Set<number>([pg.types.builtins.INT8, pg.types.builtins.INT4, pg.types.builtins.INT2])

/** Every stored number fits into a double. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    NUMBERS.has(oid) && format !== 'binary'
      ? toNumber
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

const run = async <Row>(
  target: pg.Pool | pg.PoolClient,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<readonly Row[]> => {
  const result = await target.query({ name, text, values: values as unknown[] })
  return result.rows as Row[]
}

const runTransaction = async <T>(pool: pg.Pool, work: (connection: Queryable) => Promise<T>): Promise<T> => {
  const client = await pool.connect()
  let broken = true
  try {
    // Pipelined with the first statement, which fails if BEGIN fails.
    const [, result] = await Promise.all([
      client.query('BEGIN'),
      work({ query: (statement, values) => run(client, statement, values) }),
    ])
    await client.query('COMMIT')
    broken = false
    return result
  } catch (error) {
    broken = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    )
    throw error
  } finally {
    client.release(broken)
  }
}

const RETRIED = new Set(['40001', '40P01'])
const MOST_TRIES = 6

/** Either error means the transaction had no effect, so it is safe to retry. */
const retrying = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? error.code : undefined
      if (code === undefined || !RETRIED.has(code) || tries === MOST_TRIES) throw toFault(error)
      await delay(Math.random() * 10 * 2 ** tries)
    }
  }
}
