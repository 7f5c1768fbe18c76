import { expect, test } from 'vitest'
import { parseS3Url } from './s3-location.ts'

test('bucket, prefix and parameters are read, with the usual defaults', () => {
  expect(parseS3Url('s3://blobs')).toEqual({
    bucket: 'blobs',
    prefix: '',
    region: 'us-east-1',
    endpoint: null,
    forcePathStyle: false,
  })
  expect(parseS3Url('s3://my.bucket-1/a//b%20c/?region=eu-west-1&endpoint=http://10.0.0.5:9000')).toEqual({
    bucket: 'my.bucket-1',
    prefix: 'a/b c/',
    region: 'eu-west-1',
    endpoint: 'http://10.0.0.5:9000',
    forcePathStyle: true,
  })
  expect(parseS3Url('s3://b-1/?endpoint=https://s3.test&force_path_style=false').forcePathStyle).toBe(false)
})

test.each([
  '',
  'http://bucket/',
  's3:///prefix',
  's3://UP_PER',
  's3://key:secret@bucket/',
  's3://bucket:9000/',
  's3://bucket?regoin=x',
  's3://bucket?endpoint=ftp://x',
  's3://bucket?endpoint=nonsense',
  's3://bucket?endpoint=https://key:secret@s3.test',
  's3://bucket?force_path_style=maybe',
])('%j is refused with the expected form', text => {
  expect(() => parseS3Url(text)).toThrow('s3://bucket/prefix?region=')
})
