import { Readable } from 'node:stream'
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { engineParameters } from './engine-parameters.ts'
import type { Endpoint } from './engines.ts'
import { fromExceptionText, toWarehouseError } from './fault.ts'
import { openClient } from './http-client.ts'
import { refuseLong, tooLongText } from './parameter-length.ts'
import { readResult } from './result-stream.ts'
import { withOwnHint } from './table-hint.ts'
import { isAway, WarehouseError } from './warehouse.ts'

export type Call = {
  readonly endpoint: Endpoint
  readonly database: string
  readonly sql: string
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly settings?: Readonly<Record<string, string | number>>
  readonly queryId?: string
  readonly signal?: AbortSignal
  /** The rows of an `INSERT … FORMAT`. */
  readonly content?: Readable
}

export type CallAnswer = {
  /** Ends, or throws `WarehouseError`. Read it to the end or abandon it with `return()`. */
  readonly content: AsyncGenerator<Uint8Array>
  /** `X-ClickHouse-Summary`, from the trailer if there is one. Call it after reading the content. */
  readonly summary: () => EngineSummary
}

/** Numbers as text. */
export type EngineSummary = {
  readonly read_rows?: string
  readonly read_bytes?: string
  readonly result_rows?: string
  readonly elapsed_ns?: string
}

/** Calls to engines over ClickHouse's HTTP interface. */
export interface Connections {
  /** Resolves when the response starts. Throws `WarehouseError`. */
  call(call: Call): Promise<CallAnswer>
}

/**
 * Settings of every statement.
 * - An exception in mid-stream must look the same in all formats.
 * - Users' SQL has its own limit (`LONGEST_SQL_BYTES`). What is sent may be many times longer: it is printed by the engine, with a cast for each of up to 5,000
 *   columns.
 * - The guard resolves names as the analyzer does. The old one, which a server may prefer, finds tables elsewhere.
 */
const SETTINGS = {
  http_write_exception_in_output_format: 0,
  max_query_size: String(16 * 1024 * 1024),
  enable_analyzer: 1,
}

export const createConnections = (): Connections => {
  /** A client is bound to a user and a database. Clients of staging databases are short-lived; they hold nothing but the shared agent. */
  const clients = new WeakMap<Endpoint, Map<string, ClickHouseClient>>()

  const clientOf = (endpoint: Endpoint, database: string): ClickHouseClient => {
    const ofEndpoint = clients.get(endpoint) ?? new Map<string, ClickHouseClient>()
    clients.set(endpoint, ofEndpoint)
    const client = ofEndpoint.get(database) ?? openClient(endpoint, database)
    ofEndpoint.set(database, client)
    if (ofEndpoint.size > MAX_CLIENTS) ofEndpoint.delete(ofEndpoint.keys().next().value!)
    return client
  }

  return {
    call: async ({ endpoint, database, sql, parameters = {}, settings, queryId, content, ...call }) => {
      const { signal = new AbortController().signal } = call
      try {
        signal.throwIfAborted()
        refuseLong(endpoint, parameters)
        const { plain, written } = engineParameters(sql, parameters)
        const { stream, response_headers, summary, http_status_code } = await clientOf(endpoint, database).exec({
          ...(content === undefined ? { query: sql } : insertOf({ endpoint, sql, content })),
          query_params: plain,
          clickhouse_settings: { ...endpoint.settings, ...SETTINGS, ...settings, ...written } as ClickHouseSettings,
          abort_signal: signal,
          // The client takes any bracketed word in capitals for the end of the message: `failed at position 8 (FORM) (line …`.
          ignore_error_response: true,
          ...(queryId === undefined ? {} : { query_id: queryId }),
        })
        const isRefused =
          (http_status_code ?? 200) >= 300 || response_headers?.['x-clickhouse-exception-code'] !== undefined
        if (isRefused) throw await readRefusal(stream, http_status_code ?? 0, { database, parameters })
        if (response_headers?.['x-clickhouse-query-id'] === undefined) throw notTheEngine(stream)
        const exceptionTag = response_headers?.['x-clickhouse-exception-tag'] as string | undefined
        destroyOn(signal, stream)
        return {
          content: readResult({ stream, exceptionTag, signal }),
          summary: () => trailerSummary(stream) ?? (summary as EngineSummary | undefined) ?? {},
        }
      } catch (error) {
        const fault = toWarehouseError(error, { isAborted: signal.aborted })
        if (isAway(fault)) endpoint.onAway?.()
        throw fault
      }
    },
  }
}

const MAX_CLIENTS = 64

/** A signal may outlive many calls, so each call removes its listener when it ends. */
const destroyOn = (signal: AbortSignal, stream: Readable): void => {
  const destroy = (): void => void stream.destroy()
  signal.addEventListener('abort', destroy)
  stream.once('close', () => signal.removeEventListener('abort', destroy))
}

type Insert = Pick<Call, 'endpoint' | 'sql'> & { readonly content: Readable }

/** The statement goes into the URL; if it is too long for that, into the body before the rows. */
const insertOf = ({ endpoint, sql, content }: Insert): { readonly query: string; readonly values: Readable } => {
  const { longestParameter = Number.POSITIVE_INFINITY } = endpoint
  const isShort = new URLSearchParams({ query: sql }).toString().length <= longestParameter
  return isShort ? { query: sql, values: content } : { query: '', values: Readable.from(behind(sql, content)) }
}

async function* behind(sql: string, content: Readable): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${sql}\n`)
  yield* content as AsyncIterable<Uint8Array>
}

/** Statuses for a URL that is too long: it contains the parameters. */
const TOO_LONG: ReadonlySet<number> = new Set([413, 414, 431])

/** ClickHouse's message for a parameter that is too long. If the whole URL is, the body may be empty. */
const TOO_LONG_TEXT = /HTML Form Exception: Field value too long|URI invalid or too long/

const isTooLong = (status: number, body: string): boolean =>
  TOO_LONG.has(status) || (status === 400 && body === '') || (status >= 400 && TOO_LONG_TEXT.test(body))

const readRefusal = async (
  stream: Readable,
  status: number,
  { database, parameters }: Required<Pick<Call, 'database' | 'parameters'>>,
): Promise<WarehouseError> => {
  const body = Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString('utf8')
  if (isTooLong(status, body)) return new WarehouseError('sql_error', tooLongText(parameters))
  return (
    fromExceptionText(withOwnHint(body, database)) ??
    new WarehouseError('engine_lost', `The engine answered ${status}: ${body.slice(0, 200)}`)
  )
}

/** A proxy answers in its place, or another program has taken over its address. */
const notTheEngine = (stream: Readable): WarehouseError => {
  stream.destroy()
  return new WarehouseError('engine_unavailable', 'What answers at the address of the engine is not ClickHouse.')
}

const trailerSummary = (stream: Readable): EngineSummary | null => {
  const { trailers } = stream as Readable & { trailers?: Record<string, string | undefined> }
  const text = trailers?.['x-clickhouse-summary']
  return text === undefined ? null : (JSON.parse(text) as EngineSummary)
}
