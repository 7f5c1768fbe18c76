import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ObjectStream } from '../../src/blobs/s3/object-stream.ts'
import { openS3BlobStore } from '../../src/blobs/s3/s3-blob-store.ts'
import { serve } from '../fetch/local-server.ts'
import { inChunks, readAll, sampleBytes } from './content.ts'
import { S3_KEYS } from './s3-server.ts'

const open = async (port: number) => {
  const store = await openS3BlobStore({
    bucket: 'blobs',
    prefix: '',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: S3_KEYS,
  })
  return store
}

/** Accepts connections and never answers. */
const startSilent = async () => {
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket.on('error', () => {}))
    socket.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const secondsUntilReported = async (call: Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await expect(call).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining('cannot be reached (ETIMEDOUT)'),
  })
  return (performance.now() - begun) / 1000
}

describe.concurrent('an S3 server', () => {
  test('that accepts connections and never answers is reported within half a minute', async ({ onTestFinished }) => {
    const silent = await startSilent()
    const store = await open(silent.port)
    onTestFinished(() => {
      store.close()
      silent.close()
    })
    const key = '0'.repeat(32)
    const [ping, get, ...writes] = await Promise.all(
      [
        store.ping(),
        store.get(key),
        store.put(inChunks(sampleBytes(1000), 100)),
        store.put(inChunks(sampleBytes(20_000_000), 700_000)),
        store.delete(key),
      ].map(secondsUntilReported),
    )
    for (const seconds of [ping!, get!]) expect(seconds).toBeLessThan(23)
    for (const seconds of writes) expect(seconds).toBeLessThan(35)
  })

  test('that accepts content slowly may take as long as it needs', async ({ onTestFinished }) => {
    const take: RequestListener = async (request, response) => {
      const hash = createHash('md5')
      for await (const chunk of request) {
        hash.update(chunk)
        await sleep(chunk.length / 250)
      }
      response.writeHead(200, { etag: `"${hash.digest('hex')}"` }).end()
    }
    const server = createServer({ highWaterMark: 16_384 }, take).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const store = await open((server.address() as AddressInfo).port)
    onTestFinished(() => {
      store.close()
      server.closeAllConnections()
      server.close()
    })
    const begun = performance.now()
    await store.put(inChunks(sampleBytes(5_000_000), 700_000))
    expect(performance.now() - begun).toBeGreaterThan(18_000)
  })
})

const PLACE = { bucket: 'blobs', endpoint: 'http://s3.example', region: 'us-east-1' }

test('that stops sending content fails the reader', async () => {
  const { port } = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write(Buffer.alloc(500))
  })
  const answer = await fetch(`http://127.0.0.1:${port}`)
  const content = new ObjectStream(Readable.fromWeb(answer.body!), { bucket: PLACE, promised: 1000, idleMs: 100 })
  await expect(readAll(content)).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining('cannot be reached (TimeoutError)'),
  })
})

test('loses no content while its reader pauses', async () => {
  const bytes = sampleBytes(5_000_000)
  const { port } = await serve((_, response) => response.end(bytes))
  const answer = await fetch(`http://127.0.0.1:${port}`)
  const content = new ObjectStream(Readable.fromWeb(answer.body!), { bucket: PLACE, promised: null, idleMs: 1000 })
  onTestFinished(() => void content.destroy())
  const received: Buffer[] = []
  for await (const chunk of content) {
    received.push(chunk)
    if (received.length % 40 === 1) await sleep(1500)
  }
  expect(Buffer.concat(received).equals(bytes)).toBe(true)
})
