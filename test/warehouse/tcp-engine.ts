import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { openTestEngines } from './engine-call.ts'

/** A request received at the port. */
export type Seen = {
  readonly user: string
  /** The statement, wherever it was sent; for an insert with it before its rows the whole body. */
  readonly sql: string
  readonly isInAddress: boolean
  readonly parameters: URLSearchParams
}

export type TcpEngine = {
  /** As MILLRACE_CLICKHOUSE_URL takes it. */
  readonly url: string
  readonly seen: readonly Seen[]
  close(): Promise<void>
}

export type OwnAnswer = {
  readonly status: number
  readonly text: string
  /** As from something that is not ClickHouse. */
  readonly isOther?: boolean
}

type Options = {
  /** Answers instead of the engine; null: the engine answers. */
  readonly answer?: (seen: Seen) => OwnAnswer | null
}

const ACCOUNT = 'millrace'
const PASSWORD = 'p@ss%word'

/**
 * The embedded engine behind a port that asks for a password, in place of a ClickHouse server: it speaks the same interface and
 * runs the same statements. What it cannot play is at the port: users and what they may read, and the query log, which has here
 * what a trailer says that a server does not send.
 */
export const startTcpEngine = async ({ answer = () => null }: Options = {}): Promise<TcpEngine> => {
  const { engines, close } = openTestEngines()
  const passwords = new Map([[ACCOUNT, hashOf(PASSWORD)]])
  const readable = new Map<string, string>()
  const queryLog = new Map<string, string>()
  const seen: Seen[] = []

  /** What a server would answer itself; null: the engine answers. */
  const answerAtPort = ({ user, sql, parameters }: Seen): OwnAnswer | null => {
    const database = parameters.get('database') ?? ''
    if (user !== ACCOUNT && database !== readable.get(user) && !sql.includes('FROM system.settings'))
      return exception(497, `${user}: Not enough privileges. (ACCESS_DENIED)`)
    const [, name, hash] =
      /^(?:CREATE USER IF NOT EXISTS|ALTER USER) `(.+?)` IDENTIFIED WITH sha256_hash BY '(\w+)'/.exec(sql) ?? []
    if (name !== undefined) passwords.set(name, hash!)
    const [, granted, to] = /^GRANT SELECT ON `(.+?)`\.\* TO `(.+?)`$/.exec(sql) ?? []
    if (to !== undefined) readable.set(to, granted!)
    if (name !== undefined || to !== undefined || sql === 'SYSTEM FLUSH LOGS query_log')
      return { status: 200, text: '' }
    if (!sql.includes('FROM system.query_log')) return null
    return { status: 200, text: queryLog.get(parameters.get('param_id') ?? '') ?? '' }
  }

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parameters = new URL(incoming.url!, 'http://engine').searchParams
    const [user, password] = credentialsOf(incoming)
    if (passwords.get(user) !== hashOf(password))
      return reply(response, exception(516, `${user}: Authentication failed. (AUTHENTICATION_FAILED)`))
    const inAddress = parameters.get('query')
    const body = inAddress === null ? await buffer(incoming) : null
    if (longestParameter(incoming.url!) > LONGEST_PARAMETER) return reply(response, TOO_LONG)
    const request = { user, sql: inAddress ?? String(body), isInAddress: inAddress !== null, parameters }
    seen.push(request)
    const own = answer(request) ?? answerAtPort(request)
    if (own !== null) return reply(response, own)
    const { socketPath } = await engines.address('server')
    pass({
      incoming,
      ...(body === null ? { path: incoming.url!, body } : withRowsApart(incoming.url!, body)),
      response,
      socketPath,
      queryLog,
    })
  }

  const server = createServer({ maxHeaderSize: LONGEST_ADDRESS }, (incoming, response) => {
    handle(incoming, response).catch((error: Error) => response.destroy(error))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${ACCOUNT}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/test`,
    seen,
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await close()
    },
  }
}

/** The limits of ClickHouse (`http_max_uri_size`, `http_max_field_value_size`). */
const LONGEST_ADDRESS = 1024 * 1024
const LONGEST_PARAMETER = 128 * 1024

/** Encoded, as it came. */
const longestParameter = (address: string): number =>
  Math.max(...address.split(/[?&]/).map(part => part.slice(part.indexOf('=') + 1).length))

const TOO_LONG: OwnAnswer = {
  status: 500,
  text: 'Poco::Exception. Code: 1000, e.code() = 0, HTML Form Exception: Field value too long (version 26.7.2.1 (official build))',
}

const hashOf = (password: string): string => createHash('sha256').update(password).digest('hex')

const credentialsOf = ({ headers }: IncomingMessage): readonly [string, string] => {
  const text = Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString()
  const colon = text.indexOf(':')
  return [text.slice(0, colon), text.slice(colon + 1)]
}

/** As ClickHouse writes it. */
export const exception = (code: number, text: string): OwnAnswer => ({
  status: code === 516 ? 403 : 500,
  text: `Code: ${code}. DB::Exception: ${text} (version 26.7.2.1 (official build))\n`,
})

const reply = (response: ServerResponse, { status, text, isOther = false }: OwnAnswer): void => {
  const headers = { 'X-ClickHouse-Query-Id': 'x', 'X-ClickHouse-Server-Display-Name': 'test' }
  response.writeHead(status, isOther ? {} : headers).end(text)
}

/** The embedded engine accepts the statement of an insert only in the URL, of any length. */
const withRowsApart = (address: string, body: Buffer): { readonly path: string; readonly body: Buffer } => {
  const text = body.toString('latin1')
  const [statement] = /^INSERT INTO [\s\S]*? FORMAT \w+\n/.exec(text) ?? []
  if (statement === undefined) return { path: address, body }
  const sql = body.subarray(0, statement.length).toString('utf8').trimEnd()
  return { path: `${address}&${new URLSearchParams({ query: sql })}`, body: body.subarray(statement.length) }
}

type Passing = {
  readonly incoming: IncomingMessage
  readonly path: string
  /** null: it has not been read yet. */
  readonly body: Buffer | null
  readonly response: ServerResponse
  readonly socketPath: string
  readonly queryLog: Map<string, string>
}

/** Passes data to the engine and back, and closes both ends together. */
const pass = ({ incoming, path, body, response, socketPath, queryLog }: Passing): void => {
  const { method, headers: given } = incoming
  const { 'transfer-encoding': _, ...others } = given
  const headers = body === null ? given : { ...others, 'content-length': String(body.length) }
  const onward = request({ socketPath, method, path, headers }, answered => {
    const { trailer: __, ...rest } = answered.headers
    response.writeHead(answered.statusCode!, rest)
    answered.pipe(response)
    answered.on('error', () => response.destroy())
    answered.on('end', () => {
      const summary = (answered.trailers['x-clickhouse-summary'] ?? rest['x-clickhouse-summary']) as string | undefined
      if (summary !== undefined) queryLog.set(String(rest['x-clickhouse-query-id']), summary)
    })
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  if (body === null) incoming.pipe(onward)
  else onward.end(body)
}
