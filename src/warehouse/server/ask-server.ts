import type { Readable } from 'node:stream'
import { toFetchError } from '../../kernel/fetch-error.ts'
import { readStart } from '../../kernel/read-start.ts'
import type { Endpoint } from '../engines.ts'
import { fromExceptionText } from '../fault.ts'
import { openClient } from '../http-client.ts'
import { WarehouseError } from '../warehouse.ts'

type Question = {
  readonly endpoint: Endpoint
  /** For messages. */
  readonly host: string
  readonly sql: string
}

/** Longer than a server needs to wake up. */
const PATIENCE_MS = 10_000

/** More than any expected answer. */
const MOST_BYTES = 1024 * 1024

/**
 * Runs a statement and returns its answer. Every ClickHouse version accepts the request: it has no settings, which an old one might not know. Throws
 * `WarehouseError` `engine_unavailable` that says what is wrong with the address, the account or the other side.
 */
export const askServer = async (question: Question): Promise<string> => {
  const { host } = question
  const answer = await send(question).catch(error => {
    throw unavailable(reachFault(error, question))
  })
  const exception = fromExceptionText(inNewWords(answer.text))
  if (exception !== null) throw unavailable(refusal(exception, question))
  if (answer.status >= 300 || !answer.isClickHouse) throw unavailable(otherAnswer(answer, host))
  return answer.text
}

/** The same for a statement that returns one JSON value as `FORMAT TSVRaw`. */
export const askForJson = async <Value>(question: Question): Promise<Value> => {
  const text = await askServer(question)
  try {
    return JSON.parse(text) as Value
  } catch (error) {
    throw unavailable(otherAnswer({ status: 200, text }, question.host), error)
  }
}

/** The error for an engine that cannot be used; the message says why. */
export const unavailable = (message: string, cause?: unknown): WarehouseError =>
  new WarehouseError('engine_unavailable', message, cause === undefined ? undefined : { cause })

type Answer = { readonly status: number; readonly isClickHouse: boolean; readonly text: string }

const send = async ({ endpoint, sql }: Question): Promise<Answer> => {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  // Every account can use this database; whether `default` exists is up to the operator.
  const client = openClient(endpoint, 'system')
  const answer = await client.exec({ query: sql, abort_signal: signal, ignore_error_response: true }).catch(error => {
    throw signal.aborted ? signal.reason : error
  })
  const headers = Object.keys(answer.response_headers ?? {})
  return {
    status: answer.http_status_code ?? 0,
    isClickHouse: headers.some(name => name.startsWith('x-clickhouse-')),
    text: await readText(answer.stream, signal),
  }
}

const readText = async (stream: Readable, signal: AbortSignal): Promise<string> => {
  signal.addEventListener('abort', () => stream.destroy(signal.reason as Error), { once: true })
  return (await readStart(stream, MOST_BYTES)).toString('utf8')
}

const reachFault = (error: unknown, { endpoint, host }: Question): string => {
  if ((error as Error).name === 'TimeoutError')
    return `What listens at ${host} has not answered for ${PATIENCE_MS / 1000} seconds.`
  const { code, message } = toFetchError(error, new URL(endpoint.url).origin)
  const hint = code === 'certificate_refused' ? '. NODE_EXTRA_CA_CERTS names a file of authorities to trust' : ''
  return `The ClickHouse server cannot be reached: ${message}${hint}.`
}

/** Converts exceptions of versions before 20.12. */
const inNewWords = (text: string): string =>
  text.replace(/^(Code: \d+), e\.displayText\(\) = ([\s\S]*?)(?:, e\.what\(\) = [\s\S]*)?$/, '$1. $2')

const refusal = ({ reason, message }: WarehouseError, { endpoint, host }: Question): string =>
  reason === 'engine_unavailable' || message.includes('Not enough privileges')
    ? `ClickHouse at ${host} refuses the account ${endpoint.username}: ${message}`
    : `ClickHouse at ${host} refuses what Millrace asks for: ${message}`

/** Does not quote HTML pages. The line that ClickHouse's other ports send is worth quoting. */
export const otherAnswer = ({ status, text }: Pick<Answer, 'status' | 'text'>, host: string): string => {
  const words = text.includes('<') ? '' : text.replace(/\s+/g, ' ').trim().slice(0, 120)
  return `What answers at ${host} is not ClickHouse's HTTP interface (status ${status}${words === '' ? '' : `: ${words}`}).`
}
