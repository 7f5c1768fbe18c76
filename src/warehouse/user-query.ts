import { isUtf8 } from 'node:buffer'
import type { Call, Connections, EngineSummary } from './connection.ts'
import type { ResultFiles } from './embedded/result-files.ts'
import type { Endpoints } from './engines.ts'
import { ENGINE_FORMATS } from './formats.ts'
import type { KnownColumns } from './known-columns.ts'
import { limitSettings } from './limit-settings.ts'
import { NO_TEXT, withPortableColumns } from './portable-columns.ts'
import {
  type DescribedColumn,
  type QueryLimits,
  type QuerySummary,
  type RunningQuery,
  type UserQuery,
  WarehouseError,
} from './warehouse.ts'

type Input = {
  /** Its SQL has been approved by the guard. */
  readonly query: UserQuery
  readonly database: string
  readonly endpoints: Endpoints
  readonly connections: Connections
  readonly knownColumns: KnownColumns
}

/** Runs an approved SELECT, readonly and within its limits. They are set before it, and it cannot change them. */
export const startUserQuery = async (input: Input): Promise<RunningQuery> => {
  const { query, database, endpoints, connections, knownColumns } = input
  const { queryId, parameters, format, limits, signal } = query
  const { name, settings } = ENGINE_FORMATS[format]
  const base = { endpoint: endpoints.users, database, parameters, signal }
  // The limit on rows does not apply to the list of columns.
  const describing = { ...DESCRIBE, ...limitSettings({ ...limits, resultRows: null }), ...READONLY }
  const read = (text: string) => readColumns(connections, { ...base, sql: text, settings: describing })
  const describe = (text: string) =>
    // A server's tables may be changed by others, so their columns are not cached.
    endpoints.resultFiles ? knownColumns.of(JSON.stringify([database, text, parameters]), () => read(text)) : read(text)
  const sql = await withPortableColumns({ sql: query.sql, format, describe })
  const call = {
    ...base,
    sql: `${sql}\nFORMAT ${name}`,
    settings: { ...settings, ...limitSettings(limits), ...READONLY },
    queryId,
  }
  const count = (summary: EngineSummary) => withinRows(toSummary(summary), limits)
  if (endpoints.resultFiles) return callIntoFile({ call, connections, files: endpoints.resultFiles, count })
  const { content, summary } = await connections.call(call)
  const done = Promise.withResolvers<QuerySummary>()
  // Readers of the content get the failure from there.
  done.promise.catch(() => {})
  const lookUp = () => (endpoints.hasQueryLog ? readQueryLog({ queryId, database, endpoints, connections }) : null)
  return {
    content: follow({ content, done, summary: async () => count((await lookUp()) ?? summary()) }),
    summary: done.promise,
  }
}

/** A query is cancelled when its client disconnects: nobody would read the rest. */
const READONLY = { readonly: 1, cancel_http_readonly_queries_on_client_close: 1 }

const DESCRIBE = {
  default_format: 'JSONEachRow',
  describe_compact_output: 1,
  print_pretty_type_names: 0,
  output_format_json_validate_utf8: 0,
}

const readColumns = async (connections: Connections, call: Call): Promise<readonly DescribedColumn[]> => {
  const { content } = await connections.call(call)
  const lines = splitLines(Buffer.concat(await Array.fromAsync(content)))
  return lines.map(line => {
    const column = JSON.parse(line.toString('utf8')) as DescribedColumn
    return isUtf8(line) ? column : { ...column, name: NO_TEXT }
  })
}

const splitLines = (bytes: Buffer): readonly Buffer[] => {
  const lines: Buffer[] = []
  for (let from = 0; from < bytes.length; from += lines.at(-1)!.length + 1) {
    const end = bytes.indexOf('\n', from)
    lines.push(bytes.subarray(from, end === -1 ? bytes.length : end))
  }
  return lines
}

type FiledCall = {
  readonly call: Call & { signal: AbortSignal }
  readonly connections: Connections
  readonly files: ResultFiles
  readonly count: (summary: EngineSummary) => QuerySummary
}

/** Like `connections.call`, but the rows go into a file. The response has no body, and comes when all rows are written. */
const callIntoFile = async ({ call, connections, files, count }: FiledCall): Promise<RunningQuery> => {
  const file = await files.create()
  const left = new AbortController()
  const signal = AbortSignal.any([call.signal, left.signal])
  const settings = { ...call.settings, ...file.parameters }
  const summary = connections.call({ ...call, settings, signal }).then(async answered => {
    await Array.fromAsync(answered.content)
    return count(answered.summary())
  })
  const content = file.follow({ answer: summary, leave: () => left.abort() })
  try {
    await content.growBeyond(0)
  } catch (error) {
    await content.remove()
    throw error
  }
  // Readers of the content get the failure from there.
  summary.catch(() => {})
  return { content, summary }
}

async function* follow(input: {
  readonly content: AsyncGenerator<Uint8Array>
  readonly done: PromiseWithResolvers<QuerySummary>
  readonly summary: () => Promise<QuerySummary>
}): AsyncGenerator<Uint8Array> {
  const { content, done, summary } = input
  try {
    yield* content
    done.resolve(await summary())
  } catch (error) {
    done.reject(error)
    throw error
  } finally {
    done.reject(new Error('The result was left before its end.'))
  }
}

const toSummary = ({ result_rows, read_rows, read_bytes, elapsed_ns }: EngineSummary): QuerySummary => ({
  rowCount: Number(result_rows ?? 0),
  rowsRead: Number(read_rows ?? 0),
  bytesRead: Number(read_bytes ?? 0),
  elapsedMs: Math.round(Number(elapsed_ns ?? 0) / 1e6),
})

/** The engine applies the limit to each SELECT of a union separately. */
const withinRows = (summary: QuerySummary, { resultRows }: QueryLimits): QuerySummary => {
  if (resultRows === null || summary.rowCount <= resultRows) return summary
  throw new WarehouseError(
    'query_rows',
    `The result has ${summary.rowCount} rows, and may have ${resultRows} (MILLRACE_QUERY_ROWS).`,
  )
}

const QUERY_LOG_SQL = `
  SELECT read_rows, read_bytes, result_rows, query_duration_ms * 1000000 AS elapsed_ns
  FROM system.query_log WHERE query_id = {id:String} AND type = 'QueryFinish' AND event_date >= today() - 400 LIMIT 1`

/** A server sends its headers before it knows the counts, so they are read from its query log. null if it has no such log, or the account may not read it. */
const readQueryLog = async (input: {
  readonly queryId: string
  readonly database: string
  readonly endpoints: Endpoints
  readonly connections: Connections
}): Promise<EngineSummary | null> => {
  const { queryId, database, endpoints, connections } = input
  const run = async (sql: string, settings: Record<string, string>): Promise<string> => {
    const parameters = { id: queryId }
    const answer = await connections.call({ endpoint: endpoints.own, database, sql, parameters, settings })
    const parts = await Array.fromAsync(answer.content)
    return Buffer.concat(parts).toString('utf8')
  }
  try {
    await run('SYSTEM FLUSH LOGS query_log', {})
    const line = await run(QUERY_LOG_SQL, { default_format: 'JSONEachRow' })
    return line === '' ? null : (JSON.parse(line) as EngineSummary)
  } catch (error) {
    // The rows are complete; only their counts are missing.
    if (error instanceof WarehouseError) return null
    throw error
  }
}
