import type { IncomingMessage, ServerResponse } from 'node:http'
import { eventSourceChannel } from './event-source-channel.ts'
import { type Following, followLog } from './follow-log.ts'

/**
 * Follows a job's log as server-sent events: `id` is the seq, the last event is `end`. A reconnecting client sends `Last-Event-ID`, which takes precedence over
 * `fromSeq`.
 */
export const followOverSse = ({
  request,
  response,
  pingMs,
  ...following
}: Following & {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly pingMs: number
}): Promise<void> => {
  const fromSeq = afterLastEvent(request) ?? following.fromSeq
  return followLog(eventSourceChannel(request, response, pingMs), { ...following, fromSeq })
}

const afterLastEvent = (request: IncomingMessage): number | null => {
  const seq = Number(request.headers['last-event-id'] ?? Number.NaN)
  return Number.isSafeInteger(seq) && seq >= 0 ? seq + 1 : null
}
