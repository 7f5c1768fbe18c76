import type { ImportFields } from '../spec.ts'

/** Longer than a download takes; the longest that S3 lets a signature hold. */
const SIGNED_SECONDS = 7 * 24 * 3600

/**
 * An address of http that reads `s3://bucket/key`, so that an object is downloaded as everything else is: by the guarded fetch, and resumed. Signed with
 * the keys of the job: with the server's, whoever may submit jobs could read what the server may.
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
    // For a directory bucket the client would ask the endpoint for keys of a session, past the guarded fetch.
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
