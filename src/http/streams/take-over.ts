import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** The response of a request that is answered with a stream. Fastify would send the headers set so far only with an answer of its own. */
export const takeOver = (reply: FastifyReply): ServerResponse => {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value as string)
  return reply.raw
}
