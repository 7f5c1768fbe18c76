import type { ImportFields } from '../spec.ts'

/** Longer than a download takes. S3's maximum for a signature. */
const SIGNED_SECONDS = 7 * 24 * 3600

/**
 * An HTTP URL that reads `s3://bucket/key`, so that an object is downloaded like everything else: by the guarded fetch, and resumed. Signed with the job's
 * keys: with the server's, anyone who may submit jobs could read what the server can.
 */
export const s3Address = async (fields: Omit<ImportFields, 'datasource'>): Promise<string> => {
  const [, bucket, path] = /^s3:\/\/([^/]+)\/(.+)$/.exec(fields.url)!
  const { region = 'us-east-1', endpoint, access_key_id: accessKeyId, secret_access_key: secretAccessKey } = fields
  const key = decodeURIComponent(path!)
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const base = endpoint ?? `https://s3.${region}.amazonaws.com`
    return `${base.replace(/\/$/, '')}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
  }
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
  const client = new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey },
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    responseChecksumValidation: 'WHEN_REQUIRED',
    // For a directory bucket, the client would request session keys from the endpoint, bypassing the guarded fetch.
    disableS3ExpressSessionAuth: true,
  })
  try {
    return await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket!, Key: key }), {
      expiresIn: SIGNED_SECONDS,
    })
  } finally {
    client.destroy()
  }
}
