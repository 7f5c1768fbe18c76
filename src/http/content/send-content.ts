import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'
import { attachment } from './content-disposition.ts'
import { toHttpDate } from './http-date.ts'
import { evaluatePreconditions, rangeAllowed } from './preconditions.ts'
import { type ByteRange, parseRange } from './range.ts'
import { openContent, sendEmpty, sendStream } from './send-stream.ts'

/** Immutable content, identified by its hash. */
export type Content = {
  readonly sha256: string
  readonly bytes: number
  /** When it was stored, in epoch ms. */
  readonly modifiedAt: number
  readonly type: string
  /** The file name of the download. */
  readonly filename: string
  /** null: the content is gone. */
  readonly open: (range: ByteRange | undefined) => Promise<Readable | null>
  /** Creates a temporary URL that needs no token, if the store supports that; requested by `?redirect=true`. */
  readonly presign: ((method: 'GET' | 'HEAD') => Promise<string | null>) | null
}

/** How long the URL of a redirected download is valid. */
export const REDIRECT_MS = 300_000

/** Part of the descriptions of downloads. */
export const CONDITIONS =
  'Takes Range, If-Range, If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since (RFC 9110).'

type Exchange = { readonly request: FastifyRequest; readonly reply: FastifyReply }

/**
 * Sends content, or the requested range, as a download; the ETag is its hash. Sends nothing if the client has it already, and refuses if the client expected
 * another version. Content that is gone gives 410 for both GET and HEAD, and is not redirected to.
 */
export const sendContent = async ({ request, reply }: Exchange, content: Content): Promise<FastifyReply> => {
  const validators = { tag: `"${content.sha256}"`, modifiedAt: content.modifiedAt }
  const { headers } = request
  const isHead = request.method === 'HEAD'
  reply.header('etag', validators.tag).header('last-modified', toHttpDate(content.modifiedAt))
  reply.header('accept-ranges', 'bytes').header('cache-control', 'private, no-cache')
  const outcome = evaluatePreconditions(headers, validators)
  if (outcome === 'failed') throw new MillraceError('precondition_failed')
  if (outcome === 'not_modified') return reply.code(304).send()
  const elsewhere = await content.presign?.(isHead ? 'HEAD' : 'GET')
  if (elsewhere || isHead) await requireContent(reply, content)
  if (elsewhere) return reply.header('cache-control', 'no-store').redirect(elsewhere, 302)
  // Ranges apply only to GET.
  const wanted = !isHead && rangeAllowed(headers['if-range'], validators) ? headers.range : undefined
  const range = chooseRange(reply, { wanted, bytes: content.bytes })
  const length = range ? range.end - range.start + 1 : content.bytes
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${content.bytes}`)
  reply.type(content.type).header('content-length', length)
  reply.header('content-disposition', attachment(content.filename))
  if (isHead) return sendEmpty(reply)
  return sendStream({ request, reply, open: () => content.open(range ?? undefined) })
}

/** Opens it like a download of one byte. */
const requireContent = async (reply: FastifyReply, { open, bytes }: Content): Promise<void> => {
  const content = await openContent(reply, () => open(bytes === 0 ? undefined : { start: 0, end: 0 }))
  content.destroy()
}

type Choice = { readonly wanted: string | undefined; readonly bytes: number }

const chooseRange = (reply: FastifyReply, { wanted, bytes }: Choice): ByteRange | null => {
  const range = parseRange(wanted, bytes)
  if (range !== 'unsatisfiable') return range
  reply.header('content-range', `bytes */${bytes}`)
  throw new MillraceError('range_not_satisfiable', `The content has ${bytes} bytes.`)
}
