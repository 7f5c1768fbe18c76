import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { sampleBytes } from '../../../test/blobs/content.ts'
import { BlobStream } from './blob-stream.ts'

const SIZE = 3_000_000
const bytes = sampleBytes(SIZE)

let directory: string
let server: Server
let file: FileHandle
let stream: BlobStream
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-blob-stream-'))
  writeFileSync(join(directory, 'blob'), bytes)
  server = createServer((_, answer) => void stream.pipe(answer))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await new Promise(resolve => server.close(resolve))
  rmSync(directory, { recursive: true, force: true })
})
beforeEach(async () => {
  file = await open(join(directory, 'blob'))
})

const isClosed = () => file.fd === -1

const download = (): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo
    get({ port, host: '127.0.0.1', agent: false }, resolve).on('error', reject)
  })

const RANGES = [undefined, { start: 0, end: 0 }, { start: 300_000, end: 900_000 }, { start: 5, end: 2 * SIZE }] as const

test.each(RANGES)('an HTTP response gets the bytes of %o', async range => {
  stream = new BlobStream(file, range)
  const received = await buffer(await download())
  expect(received.equals(bytes.subarray(range?.start ?? 0, (range?.end ?? SIZE) + 1))).toBe(true)
  await expect.poll(isClosed).toBe(true)
  expect(stream.readableEnded).toBe(true)
})

test('a slow client gets the same bytes', async () => {
  stream = new BlobStream(file)
  const parts: Buffer[] = []
  for await (const part of await download()) {
    parts.push(part)
    for (let turn = 0; turn < 20; turn++) await setImmediate()
  }
  expect(Buffer.concat(parts).equals(bytes)).toBe(true)
})

test('a client that disconnects leaves no open file', async () => {
  stream = new BlobStream(file)
  const answer = await download()
  // As fastify does it.
  const leaving = new Promise(resolve => answer.once('close', resolve))
  answer.destroy()
  await leaving
  stream.on('error', () => {})
  await expect.poll(isClosed).toBe(true)
})

test('a reader that keeps the chunks finds them unchanged', async () => {
  expect((await buffer(new BlobStream(file).pipe(new PassThrough()))).equals(bytes)).toBe(true)
  expect(isClosed()).toBe(true)
})

test('a file that cannot be read is an error of the stream', async () => {
  stream = new BlobStream(file)
  await file.close()
  const failed = new Promise<Error>(resolve => stream.once('error', resolve))
  const answer = download()
  answer.catch(() => {})
  expect((await failed).message).toMatch(/closed|EBADF/)
  server.closeAllConnections()
  await answer.catch(() => {})
})
