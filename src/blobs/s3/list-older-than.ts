import type { Bucket } from './s3-blob-store.ts'

const KEY = /^[0-9a-f]{32}$/

/** Pages of up to 1,000 keys of blobs last written before `time` (epoch ms). Drops unfinished uploads of that age first. */
export async function* listOlderThan(bucket: Bucket, time: number): AsyncIterable<readonly string[]> {
  await dropUnfinished(bucket, time)
  const { client, prefix } = bucket
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3')
  for (let token: string | undefined; ; ) {
    const request = {
      Bucket: bucket.bucket,
      Prefix: prefix,
      Delimiter: '/',
      ...(token && { ContinuationToken: token }),
    }
    const page = await client.send(new ListObjectsV2Command(request))
    const old = (page.Contents ?? []).filter(({ LastModified }) => (LastModified?.getTime() ?? Infinity) < time)
    const keys = old.map(({ Key = '' }) => Key.slice(prefix.length)).filter(key => KEY.test(key))
    if (keys.length > 0) yield keys
    token = page.NextContinuationToken
    if (token === undefined) return
  }
}

/** Parts left by a crash cost money and are listed nowhere else. */
const dropUnfinished = async ({ client, bucket, prefix }: Bucket, time: number): Promise<void> => {
  const { AbortMultipartUploadCommand, ListMultipartUploadsCommand } = await import('@aws-sdk/client-s3')
  for (let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}; ; ) {
    const request = { Bucket: bucket, Prefix: prefix, ...marker }
    const page = await client.send(new ListMultipartUploadsCommand(request)).catch(nullWhenRefused)
    for (const { Key, UploadId, Initiated } of page?.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || !KEY.test(Key.slice(prefix.length))) continue
      if ((Initiated?.getTime() ?? Infinity) >= time) continue
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
    }
    if (page?.IsTruncated !== true) return
    marker = { KeyMarker: page.NextKeyMarker ?? '', UploadIdMarker: page.NextUploadIdMarker ?? '' }
  }
}

/** Some compatible stores cannot list uploads and drop them by themselves; some keys may not list them. Neither must prevent finding orphans. */
const nullWhenRefused = (error: { name?: string; $metadata?: { httpStatusCode?: number } }): null => {
  const status = error.$metadata?.httpStatusCode
  if (error.name !== 'NotImplemented' && status !== 501 && status !== 403) throw error
  return null
}
