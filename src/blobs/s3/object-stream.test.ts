import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { ObjectStream } from './object-stream.ts'

const bucket = { bucket: 'b', endpoint: undefined, region: 'us-east-1' } as unknown as ConstructorParameters<
  typeof ObjectStream
>[1]['bucket']

test('a break-off before anybody reads is reported to the later reader, and raises no uncaught exception', async () => {
  const unheard: unknown[] = []
  const listener = (error: unknown): void => void unheard.push(error)
  process.prependListener('uncaughtException', listener)
  const body = new PassThrough()
  const stream = new ObjectStream(body, { bucket, promised: 10 })
  body.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
  await expect.poll(() => stream.closed).toBe(true)
  process.off('uncaughtException', listener)
  expect(unheard).toEqual([])
  await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'storage_unavailable' })
})
