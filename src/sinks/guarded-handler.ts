import { Readable } from 'node:stream'
import type { S3ClientConfig } from '@aws-sdk/client-s3'
import type { GuardedFetch } from '../kernel/guarded-fetch.ts'

/** The fields of an AWS client's request that are used here. */
type HandlerRequest = {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

const ANSWER_BYTES = 64 * 1024

/**
 * Sends the requests of an AWS client through the guarded fetch, so that a user-supplied endpoint cannot reach forbidden addresses. For small requests and
 * responses: both are held in memory.
 */
export const guardedHandler = (fetch: GuardedFetch, limits: { timeoutMs: number; signal: AbortSignal }) => {
  const handle = async (request: HandlerRequest) => {
    const response = await fetch({
      url: toUrl(request),
      method: request.method,
      headers: request.headers,
      ...(request.body !== undefined && { body: request.body }),
      maxBytes: ANSWER_BYTES,
      // A redirect from S3 names the region to use instead, but signatures are valid for one host only.
      maxRedirects: 0,
      ...limits,
    })
    const body = Buffer.concat(await Array.fromAsync(response.body))
    return { response: { statusCode: response.status, headers: response.headers, body: Readable.from([body]) } }
  }
  // The option's type lists every possible handler class, but only `handle` is called.
  return { handle } as unknown as NonNullable<S3ClientConfig['requestHandler']>
}

const toUrl = ({ protocol, hostname, port, path, query = {} }: HandlerRequest): string => {
  const search = Object.entries(query).flatMap(([name, value]) =>
    [value ?? ''].flat().map(text => `${encode(name)}=${encode(text as string)}`),
  )
  const authority = port === undefined ? hostname : `${hostname}:${port}`
  return `${protocol}//${authority}${path}${search.length === 0 ? '' : `?${search.join('&')}`}`
}

/** RFC 3986 encoding, as AWS signatures require. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
