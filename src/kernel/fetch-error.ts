/** How a guarded fetch fails. These are codes of the errors table, so an executor uses them as its outcome unchanged. */
export type FetchFailure =
  | 'address_refused'
  | 'redirect_refused'
  | 'certificate_refused'
  | 'response_too_large'
  | 'response_unreadable'
  | 'connection_failed'
  | 'timeout'

/** Details are stored with jobs and deliveries, and may contain the remote server's text. */
const LONGEST_DETAIL = 500

/** A failed fetch. An abort throws the reason of the caller's signal instead. */
export class FetchError extends Error {
  readonly code: FetchFailure

  constructor(code: FetchFailure, detail: string) {
    super(detail.slice(0, LONGEST_DETAIL))
    this.name = 'FetchError'
    this.code = code
  }
}

/** Maps an error of the HTTP client or the system to a `FetchError`. `origin` goes into the message; it holds no path, query or credentials. */
export const toFetchError = (error: unknown, origin: string): FetchError => {
  if (error instanceof FetchError) return error
  const { name, code = '', message = String(error) } = error as { name?: string; code?: string; message?: string }
  if (code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT')
    return new FetchError('timeout', `${origin} has sent nothing for too long.`)
  if (isCertificateFault(code)) return new FetchError('certificate_refused', `${origin}: ${message} (${code})`)
  if (name === 'HTTPParserError' && message.includes(CUT_OFF))
    return new FetchError('connection_failed', `${origin}: ${CLOSED}`)
  if (name === 'HTTPParserError' || isUnreadable(code))
    return new FetchError('response_unreadable', `${origin}: ${message} (${code})`)
  return new FetchError('connection_failed', `${origin}: ${code === '' ? message : `${inWords(code)} (${code})`}`)
}

const CLOSED = 'the other side closed the connection'
/** undici's parser error, which has no code, for a chunked response cut off in the middle after `Connection: close`. */
const CUT_OFF = 'Invalid EOF state'
const TOO_LATE = 'nothing answered in time'
const NO_WAY = 'there is no way to its address'

/** Texts for the most common connection errors. The system's own messages may reveal the addresses a name resolved to. */
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  UND_ERR_CLOSED: CLOSED,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CLOSED,
  ENOTFOUND: 'there is no such name',
  EAI_AGAIN: 'the name could not be looked up',
  ETIMEDOUT: TOO_LATE,
  UND_ERR_CONNECT_TIMEOUT: TOO_LATE,
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
}

const inWords = (code: string): string => {
  if (/^ERR_SSL_|^EPROTO$/.test(code)) return 'no encrypted connection came about'
  return MEANINGS[code] ?? 'the connection failed'
}

/** OpenSSL's verification errors, as Node names them, and Node's own for a host name mismatch. */
const isCertificateFault = (code: string): boolean =>
  /CERT|^UNABLE_TO_|^CRL_|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$|^PATH_LENGTH_EXCEEDED$/.test(code)

/** Headers that are too large, and decoder errors (zlib, brotli, zstd). */
const isUnreadable = (code: string): boolean =>
  /^Z_|^ERR__ERROR_|^ZSTD_|^ERR_BROTLI|^UND_ERR_HEADERS_OVERFLOW$|^UND_ERR_RES_EXCEEDED/.test(code)
