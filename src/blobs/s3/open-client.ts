import type { S3Client } from '@aws-sdk/client-s3'
import type { S3BlobOptions } from './s3-blob-store.ts'

/** Time to establish a connection. */
const CONNECT_MS = 5_000

/**
 * The longest time without progress while waiting for a response or for content. The kernel may buffer a whole part, so that no progress is visible until
 * S3 answers: in this time, a line with 70 KiB/s sends as much as kernels buffer.
 */
export const IDLE_MS = 60_000

/** Time for S3 to answer small uploads and requests without content. Other writes may take as long as they need. */
export const ANSWER_MS = 15_000

/** Tries after silence: one more, in case only one connection or server of many is dead. Each further try would take just as long. */
const TRIES_OF_THE_SILENT = 2

type ClientOptions = Pick<S3BlobOptions, 'region' | 'endpoint' | 'forcePathStyle' | 'credentials'> & {
  /** Limit for concurrent requests. */
  readonly maxSockets: number
  readonly tries: number
  /**
   * `requestTimeout`: time until a response must begin; single requests may override it. `socketTimeout`: the longest inactivity, whether content is being
   * sent, awaited or not read.
   */
  readonly timeouts: { readonly requestTimeout: number } | { readonly socketTimeout: number }
}

/** Creates an S3 client. The SDK is imported here, so that servers without S3 do not pay for it at start-up. */
export const openClient = async (options: ClientOptions): Promise<S3Client> => {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const { region, endpoint, credentials, forcePathStyle, maxSockets, tries, timeouts } = options
  const client = new S3Client({
    region,
    maxAttempts: tries,
    ...(endpoint !== null && { endpoint }),
    ...(credentials !== null && { credentials }),
    forcePathStyle,
    // Some compatible stores refuse checksums they do not know. The SHA-256 of each body is signed anyway, and ETags are compared.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      ...timeouts,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
    },
  })
  await limitSilence(client)
  return client
}

const limitSilence = async ({ config }: S3Client): Promise<void> => {
  const strategy = await config.retryStrategy()
  if (!('refreshRetryTokenForRetry' in strategy)) return
  const refresh = strategy.refreshRetryTokenForRetry.bind(strategy)
  strategy.refreshRetryTokenForRetry = async (token, info) => {
    if (isSilence(info.error) && token.getRetryCount() + 1 >= TRIES_OF_THE_SILENT) throw new Error('no more tries')
    return refresh(token, info)
  }
}

/** The client also reports a closed connection as a timeout, but at least that fails fast. */
const isSilence = (error: unknown): boolean => {
  const { name, code } = error as { readonly name?: string; readonly code?: string }
  return name === 'TimeoutError' && (code === undefined || code === 'ETIMEDOUT')
}
