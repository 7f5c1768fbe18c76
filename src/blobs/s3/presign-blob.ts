import type { Bucket } from './s3-blob-store.ts'

/** The longest that S3 lets a signature hold. */
const LONGEST_SECONDS = 7 * 24 * 3600

type Presigning = { readonly expiresAt: number; readonly filename: string; readonly contentType: string }

/** A URL that downloads the blob under that name. It holds until `expiresAt`, a week at most. */
export const presignBlob = async (
  { client, bucket, prefix }: Bucket,
  key: string,
  { expiresAt, filename, contentType }: Presigning,
): Promise<string> => {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3')
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
  const command = new GetObjectCommand({
    Bucket: bucket,
    Key: prefix + key,
    ResponseContentType: contentType,
    ResponseContentDisposition: `attachment; filename*=UTF-8''${encodeName(filename)}`,
  })
  const seconds = Math.ceil((expiresAt - Date.now()) / 1000)
  return getSignedUrl(client, command, { expiresIn: Math.min(Math.max(seconds, 1), LONGEST_SECONDS) })
}

/** RFC 8187. */
const encodeName = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
