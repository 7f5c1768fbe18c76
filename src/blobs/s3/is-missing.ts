import type { S3ServiceException } from '@aws-sdk/client-s3'

/** Whether S3 reported that there is no such object. */
export const isMissing = (error: unknown): boolean => {
  const { name, $metadata } = error as Partial<S3ServiceException>
  return name === 'NoSuchKey' || (name === 'NotFound' && $metadata?.httpStatusCode === 404)
}
