import { MillraceError } from '../../kernel/errors.ts'
import type { S3Location } from '../../kernel/s3-location.ts'

type Place = Pick<S3Location, 'bucket' | 'endpoint' | 'region'>

/**
 * Converts an error of an S3 request to `storage_unavailable`, with the place, the error code and advice. The message is built from codes only, because the
 * store's own text may repeat a key it was sent; that text is in the cause.
 */
export const toS3Fault = (error: unknown, place: Place): MillraceError => {
  if (error instanceof MillraceError) return error
  const fault = readFault(error)
  return new MillraceError('storage_unavailable', `${placeName(place)} ${explain(fault)}`, {
    retryAfter: RETRY_AFTER_S,
    cause: error,
  })
}

/** The start of messages about the bucket. */
export const placeName = ({ bucket, endpoint, region }: Place): string =>
  `The bucket ${bucket} at ${endpoint ?? `AWS (${region})`}`

const RETRY_AFTER_S = 5

type Fault = { readonly code: string; readonly status: number | null }

type ErrorOfClient = {
  readonly name?: unknown
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number }
}

const readFault = (error: unknown): Fault => {
  const { name, code, $metadata, $response } = (error ?? {}) as ErrorOfClient
  const told = typeof code === 'string' ? code : name
  return {
    code: typeof told === 'string' && /^[\w.-]{1,64}$/.test(told) ? told : 'Error',
    status: $metadata?.httpStatusCode ?? $response?.statusCode ?? null,
  }
}

const explain = (fault: Fault): string => {
  const { code, status } = fault
  const advice = ADVICE.find(([pattern]) => pattern.test(code))?.[1] ?? adviceOfStatus(status)
  if (status === null) return `cannot be reached (${code}). ${advice}`
  return `refuses (${status === 200 ? code : `${code}, ${status}`}). ${advice}`
}

/** Error codes of S3 and compatible stores, of the system, and of the AWS client. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^NoSuchBucket$/, 'Create the bucket, or correct MILLRACE_BLOB_URL.'],
  [
    /^(CredentialsProviderError|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|TokenRefreshRequired|InvalidClientTokenId)$/,
    'The keys of the server are missing, wrong or over: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile or role.',
  ],
  [/^RequestTimeTooSkewed$/, 'The clock of the server is wrong.'],
  [
    /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/,
    'The bucket is in another region: correct region in MILLRACE_BLOB_URL.',
  ],
  [
    /^InvalidObjectState$/,
    'A rule of the bucket has archived the object: bring it back, and keep such rules off the prefix of the blobs.',
  ],
  [/^(SlowDown|Throttling\w*|TooManyRequests\w*|RequestLimitExceeded|ServiceUnavailable)$/, 'It is busy: wait.'],
  [
    /^(XAmzContentSHA256Mismatch|BadDigest)$/,
    'What arrived there is not what was sent: check the network and what is in between.',
  ],
  [/(StorageFull|QuotaExceeded|InsufficientStorage|EntityTooLarge|EntityTooSmall)/, 'It has no room for that.'],
  [/CERT|^(SELF_SIGNED|UNABLE_TO)_/, 'Its certificate is not accepted (NODE_EXTRA_CA_CERTS adds an authority).'],
]

const adviceOfStatus = (status: number | null): string => {
  if (status === null) return 'Check that it is up, the endpoint in MILLRACE_BLOB_URL, and the network.'
  if (status === 401 || status === 403)
    return 'The keys of the server must be allowed to read, write, delete and list there.'
  if (status === 404) return 'Check the bucket and the endpoint in MILLRACE_BLOB_URL.'
  if (status === 429 || status >= 500) return 'It has a fault or is busy: see what it says of itself.'
  return 'Check the endpoint and the region in MILLRACE_BLOB_URL.'
}
