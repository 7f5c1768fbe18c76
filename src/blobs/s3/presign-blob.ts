import type { PresignOptions } from '../blob-store.ts'
import type { Bucket } from './s3-blob-store.ts'
import { toS3Fault } from './s3-fault.ts'

/** The longest validity that S3 permits for a signature. */
const LONGEST_SECONDS = 7 * 24 * 3600

/** A URL that downloads the blob under the given file name. Valid until `expiresAt`, at most a week. */
export const presignBlob = async (
  bucket: Bucket,
  key: string,
  { method, expiresAt, filename, contentType }: PresignOptions,
): Promise<string> => {
  const { GetObjectCommand, HeadObjectCommand } = await import('@aws-sdk/client-s3')
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
  const Command = method === 'HEAD' ? HeadObjectCommand : GetObjectCommand
  const command = new Command({
    Bucket: bucket.bucket,
    Key: bucket.prefix + key,
    ResponseContentType: contentType,
    ResponseContentDisposition: `attachment; filename*=UTF-8''${encodeName(filename)}`,
  })
  const seconds = Math.ceil((expiresAt - Date.now()) / 1000)
  const expiresIn = Math.min(Math.max(seconds, 1), LONGEST_SECONDS)
  return getSignedUrl(bucket.client, command, { expiresIn }).catch(error => {
    throw toS3Fault(error, bucket)
  })
}

/** RFC 8187. */
const encodeName = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
