import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { createUploads } from '../../src/data/uploads.ts'
import type { ExecutionContext } from '../../src/executors/executor.ts'
import { createImportExecutor } from '../../src/executors/import/import-executor.ts'
import { parseAddressRules } from '../../src/kernel/address-rules.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { ClaimedJob } from '../../src/model/job.ts'
import { openSecretBox } from '../../src/store/secrets.ts'
import { S3_KEYS, type S3Server, startS3Server } from '../blobs/s3-server.ts'
import { openImportScene, WORKSPACE } from './scene.ts'
import { useImportScene } from './use-import-scene.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-import-'))
const allowed = join(folder, 'allowed')
mkdirSync(allowed)

const scene = useImportScene('csv', {
  columns: { id: 'UInt32', text: 'String' },
  open: () => openImportScene({ 'import-dirs': allowed, 'max-upload-bytes': '4MiB' }),
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const load = (url: string, fields: Record<string, unknown> = {}) =>
  scene.import({ datasource: scene.name, url, ...fields })

const spooled = () => readdirSync(join(scene.dataDir, 'warehouse/default/imports'))

/** A CSV of some hundred kilobytes. */
const CONTENT = Buffer.from(
  `id,text\n${Array.from({ length: 5000 }, (_, id) => `${id},${createHash('sha1').update(`${id}`).digest('hex')}`).join('\n')}\n`,
)
const HALF = Math.floor(CONTENT.length / 2)

/** Sends part of what it says that it sends. */
const breakOff = (
  response: ServerResponse,
  from: number,
  to: number,
  headers: Record<string, string | number> = {},
) => {
  response.writeHead(headers['content-range'] === undefined ? 200 : 206, {
    'content-length': CONTENT.length - from,
    ...headers,
  })
  response.write(CONTENT.subarray(from, to), () => setTimeout(() => response.destroy(), 20))
}

const NOTHING_READ = { status: 'failed', statistics: null }

test('a missing page is a user failure, and a failing server is retried', async () => {
  expect(await load(`${scene.site}/nowhere`)).toMatchObject({
    ...NOTHING_READ,
    system_attempts: 0,
    error: { code: 'source_refused', message: expect.stringContaining('status 404') },
  })
  let asked = 0
  const url = scene.give('/broken', (_, response) => void response.writeHead(++asked < 3 ? 500 : 200).end('1,a\n'))
  expect(await load(url)).toMatchObject({ status: 'completed', system_attempts: 2 })
  const dead = scene.give('/dead', (_, response) => void response.writeHead(503).end())
  expect(await load(dead)).toMatchObject({
    ...NOTHING_READ,
    system_attempts: 3,
    error: { code: 'connection_failed', message: expect.stringContaining('status 503') },
  })
  expect(await load('http://127.0.0.1:9/x')).toMatchObject({ system_attempts: 3, error: { code: 'connection_failed' } })
  expect(spooled()).toEqual([])
})

test('a download that breaks off twice is resumed each time', async () => {
  const ranges: (string | undefined)[] = []
  const url = scene.give('/parts', (request, response) => {
    const { range, 'if-range': ifRange } = request.headers
    ranges.push(range)
    const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
    if (range !== undefined) expect(ifRange).toBe('"one"')
    const headers =
      range === undefined ? {} : { 'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` }
    breakOff(response, from, from + Math.ceil(CONTENT.length / 3), { etag: '"one"', ...headers })
  })
  expect(await load(url)).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 5000, bytes_read: CONTENT.length },
  })
  expect(ranges).toHaveLength(3)
})

test('a server without ranges is read again from the beginning if the content is the same', async () => {
  let asked = 0
  const url = scene.give('/again', (_, response) =>
    breakOff(response, 0, ++asked === 1 ? HALF : CONTENT.length, { 'last-modified': 'Mon, 05 Jan 2026 10:00:00 GMT' }),
  )
  expect(await load(url)).toMatchObject({ status: 'completed', statistics: { rows_written: 5000 } })
  const changed = scene.give('/changed', (_, response) => breakOff(response, 0, HALF, { etag: `"${++asked}"` }))
  expect(await load(changed)).toMatchObject({
    ...NOTHING_READ,
    error: { code: 'connection_failed', message: expect.stringContaining('has changed') },
  })
})

test('a chunked response that breaks off is resumed, even if the server keeps no connections', async () => {
  for (const connection of ['close', 'keep-alive']) {
    const url = scene.give(`/chunks/${connection}`, (request, response) => {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
      const part = from > 0 && { 'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` }
      response.writeHead(from > 0 ? 206 : 200, { etag: '"one"', connection, ...part })
      if (from > 0) return void response.end(CONTENT.subarray(from))
      response.write(CONTENT.subarray(0, HALF), () => setTimeout(() => response.destroy(), 20))
    })
    expect(await load(url)).toMatchObject({
      status: 'completed',
      system_attempts: 0,
      statistics: { rows_written: 5000 },
    })
  }
})

test('if a broken download cannot be resumed, the message says what the server lacks', async () => {
  const url = scene.give('/chunked', (_, response) => {
    response.write(CONTENT.subarray(0, HALF), () => setTimeout(() => response.destroy(), 20))
  })
  expect(await load(url)).toMatchObject({
    ...NOTHING_READ,
    error: { code: 'connection_failed', message: expect.stringMatching(/broke off.*neither.*ETag.*Range/) },
  })
})

test('a wrong Content-Length fails the import, with the numbers', async () => {
  for (const headers of [{ etag: '"one"' }, {}] as Record<string, string>[]) {
    let asked = 0
    const url = scene.give('/liar', (_, response) => {
      asked += 1
      breakOff(response, 0, HALF, headers)
    })
    expect(await load(url)).toMatchObject({
      ...NOTHING_READ,
      system_attempts: 0,
      error: { code: 'source_broken', message: expect.stringContaining(`${CONTENT.length} bytes and gave ${HALF}`) },
    })
    expect(asked).toBe(3)
  }
  expect(await scene.table(scene.name)).toEqual([])
})

test('a redirect is followed, but not to an address that is not allowed', async () => {
  const url = scene.give('/moved', (_, response) => void response.writeHead(302, { location: '/content' }).end())
  scene.give('/content', '1,a\n')
  expect(await load(url)).toMatchObject({ status: 'completed' })
  const to = (location: string) =>
    scene.give('/away', (_, response) => void response.writeHead(302, { location }).end())
  expect(await load(to('http://169.254.169.254/latest/meta-data/'))).toMatchObject({
    ...NOTHING_READ,
    error: { code: 'address_refused' },
  })
  expect(await load(to('file:///etc/passwd'))).toMatchObject({ error: { code: 'redirect_refused' } })
  expect(await load('http://169.254.169.254/latest/')).toMatchObject({ error: { code: 'address_refused' } })
})

test('HTML, UTF-16 and other formats are recognized and named', async () => {
  const cases = [
    [Buffer.from('<!DOCTYPE html>\n<html><body>Log in, please</body></html>'), 'HTML'],
    [Buffer.from('\ufeffid,text\n1,a\n', 'utf16le'), 'UTF-16'],
    [Buffer.from('id,text\n1,a\n', 'utf16le'), 'UTF-16'],
    [Buffer.from('PK\u0003\u0004…'), 'ZIP'],
    [Buffer.from('PAR1…'), 'Parquet'],
  ] as const
  for (const [content, word] of cases)
    expect(await load(scene.give('/odd', content))).toMatchObject({
      ...NOTHING_READ,
      error: { code: 'content_unreadable', message: expect.stringContaining(word) },
    })
  expect(await load(scene.give('/odd', 'id,text\n'), { format: 'parquet' })).toMatchObject({
    error: { code: 'content_unreadable', message: expect.stringContaining('not Parquet') },
  })
})

test('content larger than allowed is refused, before or after decompression', async () => {
  const bomb = Buffer.alloc(64 * 2 ** 20)
  for (const content of [Buffer.alloc(5 * 2 ** 20, 'x'), gzipSync(bomb), zstdCompressSync(bomb)])
    expect(await load(scene.give('/large', content))).toMatchObject({
      ...NOTHING_READ,
      error: { code: 'content_too_large' },
    })
  expect(spooled()).toEqual([])
})

test('gzip and zstd are decompressed, whatever the name of the file', async () => {
  for (const [index, compress] of [
    gzipSync,
    zstdCompressSync,
    (bytes: Buffer) => gzipSync(gzipSync(bytes)),
  ].entries()) {
    const content = compress(Buffer.from(`\ufeffid,text\n${index},a\n`))
    expect(await load(scene.give('/packed', content))).toMatchObject({ status: 'completed' })
  }
  expect((await scene.table(scene.name)).map(([id]) => id)).toEqual(['0', '1', '2'])
  const whole = gzipSync(CONTENT)
  expect(await load(scene.give('/torn.gz', whole.subarray(0, whole.length - 100)))).toMatchObject({
    error: { code: 'content_unreadable', message: expect.stringContaining('gzip') },
  })
  expect(await load(scene.give('/plain.gz', 'id,text\n1,a\n'), { compression: 'gzip' })).toMatchObject({
    error: { code: 'content_unreadable' },
  })
})

test('content of many chunks is complete, plain or compressed, with or without a length', async () => {
  const lines = Array.from({ length: 40_000 }, (_, id) => `${id},${createHash('sha256').update(`${id}`).digest('hex')}`)
  const content = Buffer.from(`id,text\n${lines.join('\n')}\n`)
  const whole = String(
    createHash('md5')
      .update(lines.map(line => line.split(',')[1]).join(''))
      .digest('hex'),
  )
  for (const bytes of [content, gzipSync(content), zstdCompressSync(content)])
    for (const length of [{ 'content-length': bytes.length }, {}]) {
      const url = scene.give('/many', (_request, response) => {
        response.writeHead(200, length)
        for (let at = 0; at < bytes.length; at += 100_000) response.write(bytes.subarray(at, at + 100_000))
        response.end()
      })
      expect(await load(url, { mode: 'replace' })).toMatchObject({ status: 'completed' })
      const texts = `SELECT lower(hex(MD5(arrayStringConcat(groupArray(text))))) FROM (SELECT text FROM ${scene.name} ORDER BY id)`
      expect(await scene.value(texts)).toBe(whole)
    }
})

test('files are read only in the allowed folders', async () => {
  writeFileSync(join(allowed, 'a.csv'), 'id,text\n1,a\n')
  writeFileSync(join(folder, 'secret.csv'), 'id,text\n2,b\n')
  symlinkSync(join(folder, 'secret.csv'), join(allowed, 'link.csv'))
  const at = (path: string) => pathToFileURL(path).href
  expect(await load(at(join(allowed, 'a.csv')))).toMatchObject({ status: 'completed' })
  const refused = [
    at(join(folder, 'secret.csv')),
    at(join(allowed, 'link.csv')),
    `${at(allowed)}/../secret.csv`,
    `${at(allowed)}/%2e%2e/secret.csv`,
    at(join(allowed, 'nowhere.csv')),
    at(allowed),
    'file:///etc/passwd',
  ]
  for (const url of refused)
    expect(await load(url)).toMatchObject({ ...NOTHING_READ, error: { code: 'source_refused' } })
  expect(await scene.table(scene.name)).toEqual([['1', 'a']])
})

test('uploaded content is imported and then removed, and no other upload can be named', async () => {
  const key = openSecretBox({ dataDir: scene.dataDir, secretKey: null }).deriveKey('uploads')
  const blobs = await openFileBlobStore({ directory: join(scene.dataDir, 'blobs') })
  const content = Readable.from([Buffer.from('id,text\n1,a\n')])
  const { url } = await createUploads({ blobs, key }).put({ workspace: 'default', content, maxBytes: 100 })
  expect(await load(url)).toMatchObject({ status: 'completed', statistics: { rows_written: 1 } })
  expect(await load(url)).toMatchObject({ error: { code: 'source_refused', message: expect.stringContaining('gone') } })
  expect(await load(`upload:${'0'.repeat(32)}`)).toMatchObject({ error: { code: 'source_refused' } })
})

test('invalid options are refused when the job is submitted', async () => {
  const refusals: [Record<string, unknown>, string][] = [
    [{ url: 'ftp://example.com/a' }, 'import.url'],
    [{ url: 's3://bucket' }, 'import.url'],
    [{ url: 's3://bucket/100%' }, 'import.url'],
    [{ replace_condition: 'id = 1' }, 'import.replace_condition'],
    [{ format: 'ndjson', header: true }, 'import.header'],
    [{ access_key_id: 'a' }, 'import.access_key_id'],
    [{ max_bad_rows: 'many' }, 'import.max_bad_rows'],
    [{ delimiter: ';;' }, 'import.delimiter'],
    [{ delimiter: '"' }, 'import.delimiter'],
    [{ datasource: 'a-b' }, 'import.datasource'],
    [{ engine: 'x' }, 'import.engine'],
  ]
  for (const [fields, path] of refusals) {
    const body = { import: { datasource: scene.name, url: 'https://example.com/a.csv', ...fields } }
    const answer = await scene.call('POST', '/v1/jobs', body)
    expect(answer.status).toBe(422)
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path)
  }
})

test('an import into a missing data source fails before anything is read', async () => {
  let asked = 0
  const url = scene.give('/unasked', (_, response) => void response.end(String(++asked)))
  expect(await scene.import({ datasource: 'nowhere', url })).toMatchObject({ error: { code: 'data_source_not_found' } })
  expect(asked).toBe(0)
})

test('empty content appends nothing, and cannot replace all rows', async () => {
  await load(scene.give('/one', '1,a\n'))
  const empty = scene.give('/empty', '')
  expect(await load(empty)).toMatchObject({ status: 'completed', statistics: { rows_written: 0, row_count: 1 } })
  expect(await load(empty, { mode: 'replace' })).toMatchObject({
    ...NOTHING_READ,
    error: { code: 'content_unreadable', message: expect.stringContaining('truncate') },
  })
  expect(await scene.table(scene.name)).toEqual([['1', 'a']])
})

let s3: S3Server
beforeAll(async () => {
  s3 = await startS3Server('data')
})
afterAll(() => s3.close())

test('S3 objects are read with the keys of the job, which are stored as secrets', async () => {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    credentials: S3_KEYS,
    forcePathStyle: true,
  })
  await client.send(new PutObjectCommand({ Bucket: 'data', Key: 'a b/rows.csv', Body: CONTENT }))
  client.destroy()
  const keys = { access_key_id: S3_KEYS.accessKeyId, secret_access_key: S3_KEYS.secretAccessKey }
  const job = await load('s3://data/a b/rows.csv', { endpoint: s3.endpoint, ...keys })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 5000 } })
  expect(job.spec.import).toMatchObject({ access_key_id: '***', secret_access_key: '***' })
  expect(await load('s3://data/nothing.csv', { endpoint: s3.endpoint, ...keys })).toMatchObject({
    error: {
      code: 'source_refused',
      message: expect.stringContaining('s3://data/nothing.csv answered with status 404'),
    },
  })
})

/** An attempt by an executor with little patience for a source. */
const runImpatiently = (url: string) => {
  const executor = createImportExecutor({
    data: scene.data,
    dataDir: scene.dataDir,
    uploads: { put: never, open: never, remove: never },
    addressRules: parseAddressRules('127.0.0.1'),
    importDirs: [],
    maxUploadBytes: 2 ** 30,
    idleTimeoutMs: 300,
  })
  const spec = JSON.stringify({ import: { datasource: scene.name, url } })
  const job = { id: newId(), attempt: 1, workspace: WORKSPACE, spec } as ClaimedJob
  const stop = {
    cause: null,
    killAt: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    onChange: () => () => {},
  }
  const context = {
    clock: systemClock,
    logger: silentLogger,
    stop,
    secrets: {},
    progress: () => {},
    log: { note: () => {} },
  }
  return executor.run(job, context as unknown as ExecutionContext)
}

const never = () => {
  throw new Error('nothing was sent')
}

test('a stalled source is given up after its idle time and two attempts to resume', async () => {
  let asked = 0
  const url = scene.give('/stalls', (_, response) => {
    asked += 1
    response.writeHead(200, { 'content-length': CONTENT.length, etag: '"one"' })
    response.write(CONTENT.subarray(0, HALF))
  })
  const outcome = await runImpatiently(url)
  expect(outcome).toMatchObject({ type: 'failed', failure: 'user', reason: 'source_broken' })
  expect(asked).toBe(3)
  const silent = scene.give('/silent', () => {})
  expect(await runImpatiently(silent)).toMatchObject({
    type: 'failed',
    failure: 'system',
    reason: 'connection_failed',
    message: expect.stringContaining('has sent nothing for 0.3 s'),
  })
})
