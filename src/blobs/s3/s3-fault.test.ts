import { expect, test } from 'vitest'
import { MillraceError } from '../../kernel/errors.ts'
import { toS3Fault } from './s3-fault.ts'

const PLACE = { bucket: 'blobs', endpoint: 'https://s3.example.com', region: 'us-east-1' }

const answered = (name: string, httpStatusCode: number) =>
  Object.assign(new Error('AKIAEXAMPLE is not for you'), { name, $metadata: { httpStatusCode } })

test.each([
  [answered('NoSuchBucket', 404), 'refuses (NoSuchBucket, 404). Create the bucket, or correct MILLRACE_BLOB_URL.'],
  [answered('AccessDenied', 403), 'refuses (AccessDenied, 403). The keys of the server must be allowed to'],
  [answered('InvalidAccessKeyId', 403), 'refuses (InvalidAccessKeyId, 403). The keys of the server are missing, wrong'],
  [answered('PermanentRedirect', 301), 'refuses (PermanentRedirect, 301). The bucket is in another region'],
  [answered('InvalidObjectState', 403), 'A rule of the bucket has archived the object'],
  [answered('SlowDown', 503), 'refuses (SlowDown, 503). It is busy: wait.'],
  [answered('XMinioStorageFull', 507), 'refuses (XMinioStorageFull, 507). It has no room for that.'],
  [answered('InternalError', 500), 'refuses (InternalError, 500). It has a fault or is busy'],
  [answered('XAmzContentSHA256Mismatch', 400), 'What arrived there is not what was sent'],
  [answered('<html>\n<body>', 502), 'refuses (Error, 502). It has a fault or is busy'],
  [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'cannot be reached (ECONNREFUSED). Check that it is up'],
  [Object.assign(new Error('x'), { name: 'TimeoutError' }), 'cannot be reached (TimeoutError). Check that it is up'],
  [
    Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' }),
    'cannot be reached (CERT_HAS_EXPIRED). Its certificate',
  ],
  [Object.assign(new Error('x'), { name: 'CredentialsProviderError' }), 'The keys of the server are missing, wrong'],
  ['a text', 'cannot be reached (Error). Check that it is up'],
])('%s says what to do without repeating the answer', (error, expected) => {
  const fault = toS3Fault(error, PLACE)
  expect(fault).toMatchObject({ code: 'storage_unavailable', retryAfter: 5, cause: error })
  expect(fault.message).toContain('The bucket blobs at https://s3.example.com ')
  expect(fault.message).toContain(expected)
  expect(fault.message).not.toContain('AKIA')
})

test('without an endpoint the message names AWS and the region', () => {
  const { message } = toS3Fault(answered('AccessDenied', 403), { ...PLACE, endpoint: null })
  expect(message).toContain('The bucket blobs at AWS (us-east-1) refuses')
})

test('an error of Millrace is left as it is', () => {
  const known = new MillraceError('too_large')
  expect(toS3Fault(known, PLACE)).toBe(known)
})
