import { text } from 'node:stream/consumers'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { refusal } from './refusal.ts'
import type { ServerAddress } from './server-address.ts'

/** A call of the server's API. */
export type ApiRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Starts with `/`; parts from the user are already encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Streamed unchanged. */
  readonly body?: AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

/** Sends a request and returns the response if it succeeded. Throws `CliFailure` if the server refuses or cannot be reached. */
export const send = async (server: ServerAddress, request: ApiRequest): Promise<Response> => {
  const response = await fetchAnswer(server, request)
  if (!response.ok) throw await refusal(response)
  return response
}

/** Sends a request and parses the JSON of the answer, without validating it. Throws `CliFailure`. */
export const call = async <T>(server: ServerAddress, request: ApiRequest): Promise<T> => {
  const body = await text(receive(server, request))
  try {
    return JSON.parse(body) as T
  } catch {
    throw new CliFailure(`${server.url} answered with something other than JSON`, {
      exitCode: EXIT.server,
      hint: 'Is there a Millrace server at this address?',
    })
  }
}

/** Sends a request and streams the body of the answer. Throws `CliFailure`, also if the connection is lost on the way. */
export async function* receive(server: ServerAddress, request: ApiRequest): AsyncGenerator<Uint8Array> {
  const { body } = await send(server, request)
  try {
    yield* body ?? []
  } catch (error) {
    throw unreachable(server, error as Error)
  }
}

const fetchAnswer = async (server: ServerAddress, request: ApiRequest): Promise<Response> => {
  try {
    return await fetch(`${server.url}${request.path}${queryText(request.query ?? {})}`, fetchOptions(server, request))
  } catch (error) {
    throw unreachable(server, error as Error)
  }
}

const fetchOptions = (server: ServerAddress, request: ApiRequest): RequestInit => ({
  method: request.method ?? 'GET',
  // A redirect could carry the token to another host.
  redirect: 'error',
  headers: {
    authorization: `Bearer ${server.token}`,
    ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
    ...request.headers,
  },
  ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
  ...(request.signal === undefined ? {} : { signal: request.signal }),
  ...(request.body === undefined ? {} : { body: ReadableStream.from(request.body), duplex: 'half' }),
})

const queryText = (query: NonNullable<ApiRequest['query']>): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    for (const one of [value ?? []].flat()) parameters.append(name, String(one))
  return parameters.size === 0 ? '' : `?${parameters}`
}

/** `fetch` only says "fetch failed"; the reason is in its cause. */
const unreachable = (server: ServerAddress, error: Error): CliFailure => {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  // The file that was being sent could not be read.
  if (cause instanceof CliFailure) return cause
  if (cause.code === 'ECONNREFUSED')
    return new CliFailure(`no server answers at ${server.url}`, {
      exitCode: EXIT.server,
      code: 'no_server',
      hint: 'Is the server running? Start it with: millrace serve',
    })
  const reason = cause.message || cause.code || 'unknown'
  return new CliFailure(`no answer from ${server.url}: ${reason}`, { exitCode: EXIT.server, code: 'no_answer' })
}
