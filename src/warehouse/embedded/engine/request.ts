import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ClickHouseError, ERROR } from './clickhouse-error.ts'
import { type ScannedSql, scanSql } from './scan-sql.ts'

/** One statement, parsed from a request of ClickHouse's HTTP interface. */
export type StatementRequest = {
  readonly queryId: string
  readonly sql: string
  readonly scanned: ScannedSql
  /** The rows of an `INSERT … FORMAT x` whose SQL is in the `query` parameter. */
  readonly content: Readable | null
  readonly database: string | null
  /** The format of a result whose statement names none. */
  readonly defaultFormat: string
  /** Values of `{name:Type}`, escaped as in TabSeparated, as ClickHouse expects them. */
  readonly parameters: ReadonlyMap<string, string>
  readonly settings: ReadonlyMap<string, string>
  /** Send nothing before the statement has ended. */
  readonly waitEndOfQuery: boolean
  /** The name of a file in the spool that receives the result instead of the response body (`result-files.ts`). */
  readonly resultFile: string | null
  /** Whether to compress the response: the client accepts gzip and asked for it. */
  readonly compressed: boolean
}

/** Parameters of the interface itself; all others are settings. */
const RESERVED = new Set([
  ...['query', 'query_id', 'database', 'default_format', 'wait_end_of_query', 'buffer_size', 'result_file'],
  ...['compress', 'decompress', 'session_id', 'session_timeout', 'session_check', 'stacktrace'],
  ...['user', 'password', 'role', 'quota_key'],
])

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Statements are small. Only the rows of an INSERT are large, and they are streamed. */
const MAX_STATEMENT_BYTES = 64 * 1024 * 1024

/** Reads the request up to the end of its SQL. Throws `ClickHouseError`. */
export const readRequest = async (request: IncomingMessage): Promise<StatementRequest> => {
  const search = new URL(request.url ?? '/', 'http://engine').searchParams
  const inQuery = search.get('query') ?? ''
  const body = decompressed(request)
  const streams = inQuery !== '' && isInsert(inQuery)
  const sql = streams ? inQuery : joinText(inQuery, await readStatement(body))
  return {
    queryId: search.get('query_id') || randomUUID(),
    sql,
    scanned: scanSql(sql),
    content: streams ? body : null,
    database: search.get('database') || header(request, 'x-clickhouse-database'),
    defaultFormat: search.get('default_format') ?? header(request, 'x-clickhouse-format') ?? 'TabSeparated',
    ...readSettings(search),
    waitEndOfQuery: search.get('wait_end_of_query') === '1',
    resultFile: readFileName(search),
    compressed: search.get('enable_http_compression') === '1' && accepts(request, 'gzip'),
  }
}

const isInsert = (sql: string): boolean => scanSql(sql).words[0] === 'INSERT'

const joinText = (first: string, second: string): string =>
  first === '' || second === '' ? first + second : `${first}\n${second}`

const readFileName = (search: URLSearchParams): string | null => {
  const name = search.get('result_file')
  if (name === null || /^result-[0-9a-f-]+$/.test(name)) return name
  throw new ClickHouseError(ERROR.BAD_ARGUMENTS, 'A file for a result cannot have this name.')
}

const header = (request: IncomingMessage, name: string): string | null => {
  const value = request.headers[name]
  return typeof value === 'string' ? value : null
}

const accepts = (request: IncomingMessage, encoding: string): boolean =>
  (header(request, 'accept-encoding') ?? '').split(',').some(part => part.trim().split(';')[0] === encoding)

const decompressed = (request: IncomingMessage): Readable => {
  const encoding = header(request, 'content-encoding')
  if (encoding === null || encoding === 'identity') return request
  if (encoding !== 'gzip')
    throw new ClickHouseError(ERROR.BAD_ARGUMENTS, `The content encoding ${encoding} is not known here. Use gzip.`)
  const gunzip = createGunzip()
  request.once('error', error => gunzip.destroy(error))
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('The client went away.'))
  })
  return request.pipe(gunzip)
}

const readStatement = async (body: Readable): Promise<string> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_STATEMENT_BYTES) throw new ClickHouseError(ERROR.BAD_ARGUMENTS, 'The statement is too long.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const readSettings = (search: URLSearchParams) => {
  const parameters = new Map<string, string>()
  const settings = new Map<string, string>()
  for (const [key, value] of search) {
    if (RESERVED.has(key)) continue
    const name = key.startsWith('param_') ? key.slice('param_'.length) : key
    if (!NAME.test(name))
      throw new ClickHouseError(ERROR.BAD_ARGUMENTS, `A parameter or setting cannot be named ${JSON.stringify(name)}.`)
    if (name === key) settings.set(name, value)
    else parameters.set(name, value)
  }
  return { parameters, settings }
}
