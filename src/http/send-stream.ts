import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MillraceError } from '../kernel/errors.ts'

type Sending = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Opened for GET alone. null: what was there is gone. */
  readonly open: () => Promise<Readable | null>
}

/** Headers without a body: the answer to HEAD. An empty stream, since an empty text would claim a length of 0. */
export const sendEmpty = (reply: FastifyReply, type?: string): FastifyReply => {
  if (type !== undefined) reply.type(type)
  return reply.send(Readable.from([]))
}

/** Sends a stream as the body; for HEAD the same headers and nothing else. */
export const sendStream = async ({ request, reply, open }: Sending): Promise<FastifyReply> => {
  if (request.method === 'HEAD') return sendEmpty(reply)
  const stream = await open()
  if (stream !== null) return reply.send(stream)
  for (const name of ['content-length', 'content-disposition', 'content-range', 'etag', 'accept-ranges'])
    reply.removeHeader(name)
  throw new MillraceError('gone')
}
