import { FetchError } from './fetch-error.ts'

/** A request as sent to one server. Header names in lower case. */
export type HopRequest = {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | null
}

/** Headers that may be sent to an origin other than the one the caller named. Any other header may carry credentials (`x-api-key`, signatures). */
const CROSS_ORIGIN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'content-encoding',
  'content-language',
  'content-type',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
  'user-agent',
])

/** The next request of a redirect, after RFC 9110 (15.4) and the method rules of the Fetch standard; null if the response is not a redirect. */
export const followRedirect = (
  request: HopRequest,
  status: number,
  location: string | undefined,
): HopRequest | null => {
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return null
  const url = httpUrl(location, request.url)
  if (url === null)
    throw new FetchError('redirect_refused', 'It redirects to something else than an http or https URL.')
  const headers = url.origin === request.url.origin ? request.headers : keep(request.headers, CROSS_ORIGIN_HEADERS)
  if (!becomesGet(status, request.method)) return { ...request, url, headers }
  return { url, method: 'GET', headers: withoutContent(headers), body: null }
}

/** An absolute http(s) URL without fragment or credentials (they would be someone else's); null if the text is not one. */
const httpUrl = (text: string, base: URL): URL | null => {
  const url = URL.parse(text, base)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null
  url.username = ''
  url.password = ''
  url.hash = ''
  return url
}

const becomesGet = (status: number, method: string): boolean =>
  (status === 303 && method !== 'GET' && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST')

const keep = (headers: HopRequest['headers'], names: ReadonlySet<string>): HopRequest['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => names.has(name)))

const withoutContent = (headers: HopRequest['headers']): HopRequest['headers'] =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('content-')))
