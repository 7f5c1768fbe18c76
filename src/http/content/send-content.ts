import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'
import { attachment } from './content-disposition.ts'
import { toHttpDate } from './http-date.ts'
import { judgePreconditions, rangeAllowed } from './preconditions.ts'
import { type ByteRange, parseRange } from './range.ts'
import { openContent, sendEmpty, sendStream } from './send-stream.ts'

/** Content that does not change, known by its hash. */
export type Content = {
  readonly sha256: string
  readonly bytes: number
  /** Since when it is there, epoch ms. */
  readonly modifiedAt: number
  readonly type: string
  /** What it is saved as. */
  readonly filename: string
  /** null: what was there is gone. */
  readonly open: (range: ByteRange | undefined) => Promise<Readable | null>
  /** A URL that gives it without a token for a while, where the store has such; asked for by `?redirect=true`. */
  readonly presign: ((method: 'GET' | 'HEAD') => Promise<string | null>) | null
}

/** For how long a URL that a download is redirected to can be used. */
export const REDIRECT_MS = 300_000

/** Of downloads, for their descriptions. */
export const CONDITIONS =
  'Takes Range, If-Range, If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since (RFC 9110).'

type Exchange = { readonly request: FastifyRequest; readonly reply: FastifyReply }

/**
 * Sends content as a download, or the part that `Range` names: the ETag is its hash. Nothing when the client has it, and a refusal when
 * it wanted another. What is not there any more is 410 to GET and HEAD alike, and is not redirected to.
 */
export const sendContent = async ({ request, reply }: Exchange, content: Content): Promise<FastifyReply> => {
  const validators = { tag: `"${content.sha256}"`, modifiedAt: content.modifiedAt }
  const { headers } = request
  const isHead = request.method === 'HEAD'
  reply.header('etag', validators.tag).header('last-modified', toHttpDate(content.modifiedAt))
  reply.header('accept-ranges', 'bytes').header('cache-control', 'private, no-cache')
  const judgement = judgePreconditions(headers, validators)
  if (judgement === 'failed') throw new MillraceError('precondition_failed')
  if (judgement === 'not_modified') return reply.code(304).send()
  const elsewhere = await content.presign?.(isHead ? 'HEAD' : 'GET')
  if (elsewhere || isHead) await requireContent(reply, content)
  if (elsewhere) return reply.header('cache-control', 'no-store').redirect(elsewhere, 302)
  // Only GET has ranges.
  const wanted = !isHead && rangeAllowed(headers['if-range'], validators) ? headers.range : undefined
  const range = chooseRange(reply, { wanted, bytes: content.bytes })
  const length = range ? range.end - range.start + 1 : content.bytes
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${content.bytes}`)
  reply.type(content.type).header('content-length', length)
  reply.header('content-disposition', attachment(content.filename))
  if (isHead) return sendEmpty(reply)
  return sendStream({ request, reply, open: () => content.open(range ?? undefined) })
}

/** Asks as for a download, of one byte. */
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
