import type { IncomingMessage } from 'node:http'
import { createWebSocketStream, WebSocket } from 'ws'
import type { JobStatus } from '../../model/job-status.ts'
import type { LogLineAnswer } from './job-answer.ts'
import { refusalOf } from './refusal.ts'
import type { ServerAddress } from './server-address.ts'

/** A message on the socket of a job's log: a batch of lines, or finally the end of the job. */
export type LogMessage = readonly LogLineAnswer[] | { readonly event: 'end'; readonly status: JobStatus }

/** Three missed pings of the server (one every 15 s): the connection is dead, whatever TCP says. */
const SILENCE_MS = 45_000

/**
 * One connection to a job's log, from line `from` on. If the connection is lost, it ends without an `end` message, or throws. Throws `CliFailure` if the server
 * refuses. The server waits for a slow reader.
 */
export async function* openLogSocket(input: {
  readonly server: ServerAddress
  readonly jobId: string
  readonly from: number
  readonly signal: AbortSignal
  readonly onPing: () => void
}): AsyncGenerator<LogMessage> {
  const { server, jobId, from, signal, onPing } = input
  const url = `${server.url.replace(/^http/, 'ws')}/v1/jobs/${encodeURIComponent(jobId)}/logs?batch=true&from=${from}`
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${server.token}` } })
  const abort = () => socket.terminate()
  signal.addEventListener('abort', abort)
  const watch = endWhenSilent(socket)
  socket.on('ping', onPing)
  const refused = refusedHandshake(socket)
  try {
    const messages = createWebSocketStream(socket, { readableObjectMode: true, encoding: 'utf8' })
    for await (const text of messages) yield JSON.parse(text) as LogMessage
  } catch (error) {
    throw (await refused()) ?? error
  } finally {
    watch.stop()
    signal.removeEventListener('abort', abort)
    socket.terminate()
  }
}

const endWhenSilent = (socket: WebSocket): { stop(): void } => {
  const timer = setTimeout(() => socket.terminate(), SILENCE_MS)
  for (const event of ['open', 'message', 'ping'] as const) socket.on(event, () => timer.refresh())
  return { stop: () => clearTimeout(timer) }
}

/** Reads the body of a response that is not an upgrade, so that its problem can be reported. The stream fails after that. */
const refusedHandshake = (socket: WebSocket): (() => Promise<Error | null>) => {
  let refusal: Promise<Error> | null = null
  socket.on('unexpected-response', (_request, response: IncomingMessage) => {
    refusal = readRefusal(response)
    refusal.then(
      () => socket.terminate(),
      () => socket.terminate(),
    )
  })
  return async () => refusal
}

const readRefusal = async (response: IncomingMessage): Promise<Error> => {
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return refusalOf(response.statusCode ?? 0, body)
}
