import { FetchError } from '../../../kernel/fetch-error.ts'
import type { GuardedFetch, GuardedResponse } from '../../../kernel/guarded-fetch.ts'
import { ImportFailure } from '../import-failure.ts'
import type { Source } from './source.ts'

type Options = {
  readonly fetch: GuardedFetch
  readonly url: string
  readonly shown: string
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly signal: AbortSignal
}

/** How many times a broken download is resumed. */
const RESUMES = 2

/** The state of a download, and the validator by which a later answer is of the same content. */
type Download = {
  received: number
  promised: number | null
  validator: string | null
}

/**
 * Content from a server. Resumes a connection that breaks or stalls where it ended, with Range and If-Range (RFC 9110, 14.2). Never joins an answer with other
 * content to what was read.
 */
export const httpSource = (options: Options): Source => {
  const download: Download = { received: 0, promised: null, validator: null }
  return { size: () => download.promised, content: read(options, download), shown: options.shown }
}

async function* read(options: Options, download: Download): AsyncGenerator<Uint8Array> {
  for (let resumes = 0; ; resumes++) {
    const error = yield* readOnce(options, download)
    if (error === null && isWhole(download)) return
    if (options.signal.aborted) throw options.signal.reason
    if (error !== null && !isBroken(error)) throw toFailure(error, options)
    if (download.received === 0 && error !== null) throw toFailure(error, options)
    if (resumes === RESUMES) throw endOf(download, error, options)
  }
}

const isWhole = ({ received, promised }: Download): boolean => promised === null || received >= promised

/** An error that a retry may avoid. */
const isBroken = (error: unknown): boolean =>
  error instanceof FetchError && (error.code === 'connection_failed' || error.code === 'timeout')

/** Returns the error that ended it, or null at the end of an answer. */
async function* readOnce(options: Options, download: Download): AsyncGenerator<Uint8Array, unknown> {
  const { fetch, url, maxBytes, idleTimeoutMs, signal } = options
  const { received, validator } = download
  const resuming = { range: `bytes=${received}-`, ...(validator !== null && { 'if-range': validator }) }
  try {
    const headers = { 'accept-encoding': 'identity', ...(received > 0 && resuming) }
    const response = await fetch({ url, headers, maxBytes, idleTimeoutMs, signal, decodes: false })
    const skipped = await check(response, download, options)
    yield* take(response, download, skipped)
    return null
  } catch (error) {
    return error
  }
}

/** Checks an answer. Returns how many of its bytes were already read. */
const check = async (response: GuardedResponse, download: Download, options: Options): Promise<number> => {
  const { status, headers } = response
  const isFirst = download.received === 0
  if (!isFirst && status === 206 && startOf(headers['content-range']) === download.received) return 0
  if (status !== 200) {
    const failure = statusFailure(status, options)
    await response.discard()
    throw failure
  }
  const size = sizeOf(headers['content-length'])
  const validator = validatorOf(headers)
  if (isFirst) {
    Object.assign(download, { promised: size, validator })
    return 0
  }
  if (size === download.promised && validator === download.validator && validator !== null) return download.received
  await response.discard()
  if (size === download.promised && validator === null) throw new FetchError('connection_failed', CANNOT_RESUME)
  throw new ImportFailure('connection_failed', `${options.shown} has changed while it was read.`)
}

const CANNOT_RESUME =
  'The download broke off and cannot be taken up: the server sends neither an ETag nor a Last-Modified, and no part that is asked for by Range.'

async function* take(response: GuardedResponse, download: Download, skipped: number): AsyncGenerator<Uint8Array> {
  let left = skipped
  for await (const chunk of response.body) {
    const fresh = chunk.subarray(Math.min(left, chunk.length))
    left -= chunk.length - fresh.length
    if (fresh.length === 0) continue
    download.received += fresh.length
    yield fresh
    // Frees its memory now. The garbage collector would walk the whole heap for every 64 MB, which took a third of a download's time.
    if (chunk.length === chunk.buffer.byteLength) (chunk.buffer as ArrayBuffer).transfer(0)
  }
}

const sizeOf = (text: string | undefined): number | null => (/^\d+$/.test(text ?? '') ? Number(text) : null)

const startOf = (range: string | undefined): number | null => {
  const match = /^bytes (\d+)-/.exec(range ?? '')
  return match === null ? null : Number(match[1])
}

/** A weak ETag does not promise the same bytes. */
const validatorOf = (headers: GuardedResponse['headers']): string | null => {
  const { etag, 'last-modified': modified } = headers
  if (etag?.startsWith('"')) return etag
  return modified ?? null
}

const statusFailure = (status: number, { shown }: Options): ImportFailure =>
  status >= 500
    ? new ImportFailure('connection_failed', `${shown} answered with status ${status}.`)
    : new ImportFailure('source_refused', `${shown} answered with status ${status}.`)

const toFailure = (error: unknown, { shown, idleTimeoutMs }: Options): unknown => {
  if (!(error instanceof FetchError)) return error
  if (error.code === 'timeout')
    return new ImportFailure('connection_failed', `${shown} has sent nothing for ${idleTimeoutMs / 1000} s.`)
  if (error.code === 'response_too_large') return new ImportFailure('content_too_large', `${shown}: ${error.message}`)
  return new ImportFailure(error.code, `${shown}: ${error.message}`)
}

const endOf = ({ received, promised }: Download, error: unknown, options: Options): unknown =>
  promised === null
    ? toFailure(error, options)
    : new ImportFailure(
        'source_broken',
        `${options.shown} said that it has ${promised} bytes and gave ${received}; it was asked for the rest ${RESUMES} times.`,
      )
