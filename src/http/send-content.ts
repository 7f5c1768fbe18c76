import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MillraceError } from '../kernel/errors.ts'
import { attachment } from './content-disposition.ts'
import { type ByteRange, matchesTag, parseRange, rangeAllowed } from './range.ts'
import { sendStream } from './send-stream.ts'

/** Content that does not change, known by its hash. */
export type Content = {
  readonly sha256: string
  readonly bytes: number
  readonly type: string
  /** What it is saved as. */
  readonly filename: string
  /** null: what was there is gone. */
  readonly open: (range: ByteRange | undefined) => Promise<Readable | null>
  /** A URL that gives it without a token for a while, where the store has such; asked for by `?redirect=true`. */
  readonly presign: (() => Promise<string | null>) | null
}

/** For how long a URL that a download is redirected to can be used. */
export const REDIRECT_MS = 300_000

type Exchange = { readonly request: FastifyRequest; readonly reply: FastifyReply }

/** Sends content as a download, or the part that `Range` names: the ETag is its hash. Nothing when the client has it. */
export const sendContent = async ({ request, reply }: Exchange, content: Content): Promise<FastifyReply> => {
  const { headers } = request
  const tag = `"${content.sha256}"`
  reply.header('etag', tag).header('accept-ranges', 'bytes').header('cache-control', 'private, no-cache')
  if (matchesTag(headers['if-none-match'], tag)) return reply.code(304).send()
  const wanted = request.method === 'GET' && rangeAllowed(headers['if-range'], tag) ? headers.range : undefined
  const elsewhere = await content.presign?.()
  if (elsewhere) return reply.header('cache-control', 'no-store').redirect(elsewhere, 302)
  const range = parseRange(wanted, content.bytes)
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${content.bytes}`)
    throw new MillraceError('range_not_satisfiable', `The content has ${content.bytes} bytes.`)
  }
  const length = range ? range.end - range.start + 1 : content.bytes
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${content.bytes}`)
  reply.type(content.type).header('content-length', length)
  reply.header('content-disposition', attachment(content.filename))
  return sendStream({ request, reply, open: () => content.open(range ?? undefined) })
}
