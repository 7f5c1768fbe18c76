import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createGzip, type Gzip } from 'node:zlib'
import { type ClickHouseError, errorText, statusOf } from './clickhouse-error.ts'

/** The statistics of a statement, as in `X-ClickHouse-Summary`. */
export type Summary = {
  /** A lower bound: the last observed value. */
  readonly readRows: number
  readonly readBytes: number
  readonly resultRows: number
  readonly resultBytes: number
  readonly writtenRows: number
  readonly writtenBytes: number
  readonly elapsedMs: number
}

/** The answer to one statement. */
export interface Answer {
  /** Sends the status and headers of an answer whose summary is already known. */
  begin(summary: Summary): void
  /** Resolves when the part's memory may be reused; false: the client has disconnected. The first part sends status and headers. */
  write(part: Uint8Array): Promise<boolean>
  end(summary: Summary): Promise<void>
  /** Sends an error response. In mid-stream, appends the exception to what was sent and then breaks the connection. */
  fail(error: ClickHouseError): void
}

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['CSV', 'text/csv; charset=UTF-8; header=absent'],
  ['CSVWithNames', 'text/csv; charset=UTF-8; header=present'],
  ['JSON', 'application/json; charset=UTF-8'],
  ['JSONCompact', 'application/json; charset=UTF-8'],
  ['JSONEachRow', 'application/x-ndjson; charset=UTF-8'],
  ['TabSeparated', 'text/tab-separated-values; charset=UTF-8'],
  ['TSV', 'text/tab-separated-values; charset=UTF-8'],
])

type Options = {
  readonly response: ServerResponse
  readonly queryId: string
  readonly format: string
  readonly version: string
  readonly compressed: boolean
}

export const createAnswer = ({ response, queryId, format, version, compressed }: Options): Answer => {
  const tag = randomBytes(8).toString('hex')
  let gzip: Gzip | null = null
  let hasTrailer = false

  const head = (summary: Summary | null): void => {
    hasTrailer = summary === null
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES.get(format) ?? 'application/octet-stream',
      'X-ClickHouse-Query-Id': queryId,
      'X-ClickHouse-Format': format,
      'X-ClickHouse-Timezone': 'UTC',
      'X-ClickHouse-Exception-Tag': tag,
      'X-ClickHouse-Summary': summaryText(summary),
      ...(compressed ? { 'Content-Encoding': 'gzip' } : {}),
      ...(hasTrailer ? { Trailer: 'X-ClickHouse-Summary' } : {}),
    })
    if (!compressed) return
    gzip = createGzip({ level: 1 })
    gzip.pipe(response)
  }

  return {
    begin: summary => head(summary),
    write: async part => {
      if (response.destroyed) return false
      if (!response.headersSent) head(null)
      await written(gzip ?? response, part, response)
      return !response.destroyed
    },
    end: async summary => {
      if (!response.headersSent) head(summary)
      else if (hasTrailer) response.addTrailers({ 'X-ClickHouse-Summary': summaryText(summary) })
      ;(gzip ?? response).end()
      if (!response.writableFinished && !response.destroyed)
        await Promise.race([once(response, 'finish'), once(response, 'close')])
    },
    fail: error => {
      const text = errorText(error, version)
      if (response.headersSent) return breakOff({ response, gzip, text, tag })
      response.writeHead(statusOf(error), {
        'Content-Type': 'text/plain; charset=UTF-8',
        'X-ClickHouse-Query-Id': queryId,
        'X-ClickHouse-Exception-Code': String(error.code),
        'X-ClickHouse-Timezone': 'UTC',
      })
      response.end(text)
    },
  }
}

/** Resolves when the kernel has taken the part, or the response has closed. */
const written = (target: ServerResponse | Gzip, part: Uint8Array, response: ServerResponse): Promise<void> =>
  new Promise(resolve => {
    const proceed = () => {
      response.off('close', proceed)
      resolve()
    }
    response.once('close', proceed)
    target.write(part, proceed)
  })

/**
 * Does what ClickHouse does since 25.11: sends the exception framed by the tag from the headers, and never ends the body, so that no client mistakes a partial
 * result for a complete one.
 */
const breakOff = (input: { response: ServerResponse; gzip: Gzip | null; text: string; tag: string }): void => {
  const { response, gzip, text, tag } = input
  const frame = `\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`
  if (gzip === null) return void response.write(frame, () => response.destroy())
  gzip.write(frame)
  gzip.flush(() => setImmediate(() => response.destroy()))
}

/** Numbers as text, as ClickHouse writes them. All zeros until the statement has ended. */
const summaryText = (summary: Summary | null): string =>
  JSON.stringify({
    read_rows: String(summary?.readRows ?? 0),
    read_bytes: String(summary?.readBytes ?? 0),
    written_rows: String(summary?.writtenRows ?? 0),
    written_bytes: String(summary?.writtenBytes ?? 0),
    total_rows_to_read: '0',
    result_rows: String(summary?.resultRows ?? 0),
    result_bytes: String(summary?.resultBytes ?? 0),
    elapsed_ns: String(Math.round((summary?.elapsedMs ?? 0) * 1e6)),
  })
