import type { S3Client } from '@aws-sdk/client-s3'
import type { S3BlobOptions } from './s3-blob-store.ts'

/** For a connection to be made. */
const CONNECT_MS = 5_000

/**
 * So long nothing may move while an answer or content is waited for. A part may be with the kernel as a whole, which shows nothing of it
 * until S3 answers: in that time a line of 70 KiB a second has sent what kernels take.
 */
export const IDLE_MS = 60_000

/** In which S3 says whether it has taken what is small, or has done what is not for content: what writers wait for otherwise takes as long as it takes. */
export const ANSWER_MS = 15_000

/** What was silent is asked once more: one connection or server of many may be dead. Each further time would only be as long. */
const TRIES_OF_THE_SILENT = 2

type ClientOptions = Pick<S3BlobOptions, 'region' | 'endpoint' | 'forcePathStyle' | 'credentials'> & {
  /** Requests at once. */
  readonly maxSockets: number
  readonly tries: number
  /**
   * `requestTimeout`: in which an answer must begin to come; a request may have another. `socketTimeout`: for how long nothing may move, be
   * it that content is sent, awaited or not read.
   */
  readonly timeouts: { readonly requestTimeout: number } | { readonly socketTimeout: number }
}

/** A client of S3. It is loaded here and not above: servers without S3 should not pay for it at start. */
export const openClient = async (options: ClientOptions): Promise<S3Client> => {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const { region, endpoint, credentials, forcePathStyle, maxSockets, tries, timeouts } = options
  const client = new S3Client({
    region,
    maxAttempts: tries,
    ...(endpoint !== null && { endpoint }),
    ...(credentials !== null && { credentials }),
    forcePathStyle,
    // Some compatible stores refuse what they do not know of these. The SHA-256 of each body is signed anyway, and ETags are compared.
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

/** The client calls a connection that was closed a timeout, too; such an answer is at least a quick one. */
const isSilence = (error: unknown): boolean => {
  const { name, code } = error as { readonly name?: string; readonly code?: string }
  return name === 'TimeoutError' && (code === undefined || code === 'ETIMEDOUT')
}
