import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'

type Sending = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Opened only for GET. null: the content is gone. */
  readonly open: () => Promise<Readable | null>
}

/** Headers without a body, for HEAD. An empty stream, because an empty text would set a length of 0. */
export const sendEmpty = (reply: FastifyReply, type?: string): FastifyReply => {
  if (type !== undefined) reply.type(type)
  return reply.send(Readable.from([]))
}

/** Sends a stream as the body; for HEAD only the headers. */
export const sendStream = async ({ request, reply, open }: Sending): Promise<FastifyReply> => {
  if (request.method === 'HEAD') return sendEmpty(reply)
  return reply.send(await openContent(reply, open))
}

/** Throws what `open` throws, and `gone`. The answer then has no headers about the content. */
export const openContent = async (reply: FastifyReply, open: () => Promise<Readable | null>): Promise<Readable> => {
  try {
    const content = await open()
    if (content !== null) return content
    throw new MillraceError('gone')
  } catch (error) {
    for (const name of CONTENT_HEADERS) reply.removeHeader(name)
    throw error
  }
}

const CONTENT_HEADERS = [
  'content-length',
  'content-disposition',
  'content-range',
  'etag',
  'last-modified',
  'accept-ranges',
]
