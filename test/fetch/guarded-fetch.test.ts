import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseAddressRules } from '../../src/kernel/address-rules.ts'
import { FetchError } from '../../src/kernel/fetch-error.ts'
import { keptConnections } from '../../src/kernel/guarded-connections.ts'
import { createGuardedFetch } from '../../src/kernel/guarded-fetch.ts'
import { readText, serve, serveRaw } from './local-server.ts'

const LIMITS = { maxBytes: 1_000_000, timeoutMs: 20_000 }
const fetch = createGuardedFetch({ rules: parseAddressRules('127.0.0.0/8') })

describe('requests and responses', () => {
  test('method, headers, body and query are sent; status, headers and body are returned', async () => {
    const server = await serve((request, response) => {
      response.writeHead(418, { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] })
      request.pipe(response)
    })
    const response = await fetch({
      url: `http://127.0.0.1:${server.port}/path?q=1#part`,
      method: 'put',
      headers: { 'X-Kind': 'test', 'Content-Length': '9999', Connection: 'upgrade' },
      body: 'ünïcode',
      ...LIMITS,
    })
    expect(response.status).toBe(418)
    expect(response.headers).toMatchObject({ 'content-type': 'text/plain', 'set-cookie': 'a=1, b=2' })
    expect(await readText(response.body)).toBe('ünïcode')
    expect(server.requests[0]).toMatchObject({ method: 'PUT', path: '/path?q=1' })
    expect(server.requests[0]?.headers).toMatchObject({ 'x-kind': 'test', 'content-length': '9', connection: 'close' })
  })

  test('credentials in the URL become a header and are left out of the URL of the response', async () => {
    const server = await serve((_, response) => response.end())
    const response = await fetch({ url: `http://us%40er:p%zz@127.0.0.1:${server.port}/`, ...LIMITS })
    await response.discard()
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${btoa('us@er:p%zz')}`)
    expect(response.url).toBe(`http://127.0.0.1:${server.port}/`)
  })

  test('redirects are followed to the end, and secrets stay with the first origin', async () => {
    const last = await serve((_, response) => response.end('arrived'))
    const first = await serve((request, response) => {
      const location = request.url === '/1' ? '/2' : `http://127.0.0.1:${last.port}/3`
      response.writeHead(302, { location }).end('a body nobody reads')
    })
    const headers = { Authorization: 'Bearer secret', 'X-Api-Key': 'secret', Cookie: 'secret', Accept: 'text/csv' }
    const response = await fetch({ url: `http://127.0.0.1:${first.port}/1`, headers, ...LIMITS })
    expect(await readText(response.body)).toBe('arrived')
    expect(response.url).toBe(`http://127.0.0.1:${last.port}/3`)
    expect(first.requests.map(({ headers }) => headers['x-api-key'])).toEqual(['secret', 'secret'])
    expect(JSON.stringify(last.requests[0]?.headers)).not.toContain('secret')
    expect(last.requests[0]?.headers.accept).toBe('text/csv')
  })

  test('a redirect loop ends at the limit; with limit 0 the redirect is the response', async () => {
    const server = await serve((_, response) => response.writeHead(307, { location: '/again' }).end())
    const url = `http://127.0.0.1:${server.port}/`
    await expect(fetch({ url, maxRedirects: 3, ...LIMITS })).rejects.toMatchObject({
      code: 'redirect_refused',
      message: 'It redirects more than 3 times.',
    })
    expect(server.requests).toHaveLength(4)
    const response = await fetch({ url, maxRedirects: 0, ...LIMITS })
    await response.discard()
    expect([response.status, response.headers.location]).toEqual([307, '/again'])
  })

  test('a header with a line break is an error of the caller, and nothing is sent', async () => {
    const server = await serve((_, response) => response.end())
    const request = { url: `http://127.0.0.1:${server.port}/`, headers: { x: 'a\r\nhost: other' }, ...LIMITS }
    await expect(fetch(request)).rejects.toMatchObject({ code: 'UND_ERR_INVALID_ARG' })
    expect(server.requests).toEqual([])
  })
})

describe('decompression', () => {
  const text = 'a,b,c\n'.repeat(1000)
  test.each([
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['identity', Buffer.from(text)],
    ['deflate, gzip', gzipSync(deflateSync(text))],
  ] as const)('%s is decompressed', async (encoding, bytes) => {
    const server = await serve((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(bytes))
    const response = await fetch({ url: `http://127.0.0.1:${server.port}/`, ...LIMITS })
    expect(await readText(response.body)).toBe(text)
  })

  test('the message of a failure is limited in length', () => {
    expect(new FetchError('connection_failed', 'x'.repeat(10_000)).message).toHaveLength(500)
  })

  test('an unknown encoding is unreadable and its name is not repeated; without decoding the body is unchanged', async () => {
    const server = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'Bearer of-the-request' }).end('as it is'),
    )
    const url = `http://127.0.0.1:${server.port}/`
    const error = await fetch({ url, ...LIMITS }).catch(found => found)
    expect(error).toMatchObject({ code: 'response_unreadable', message: expect.not.stringContaining('of-the-request') })
    expect(await readText((await fetch({ url, decodes: false, ...LIMITS })).body)).toBe('as it is')
  })

  test.each([
    ['gzip', 'not gzip at all'],
    ['gzip', gzipSync(text).subarray(0, 50)],
    ['br', 'no'],
    ['zstd', 'no'],
    ['compress', text],
    ['gzip,gzip,gzip,gzip', gzipSync(text)],
  ] as const)('%s with invalid content is unreadable', async (encoding, bytes) => {
    const server = await serve((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(bytes))
    const answer = fetch({ url: `http://127.0.0.1:${server.port}/`, ...LIMITS }).then(({ body }) => readText(body))
    await expect(answer).rejects.toMatchObject({ code: 'response_unreadable' })
  })

  test('a HEAD response is not decoded, and a range request asks for no encoding', async () => {
    const server = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end())
    const url = `http://127.0.0.1:${server.port}/`
    const { body } = await fetch({ url, method: 'HEAD', ...LIMITS })
    expect(await readText(body)).toBe('')
    const response = await fetch({ url, headers: { range: 'bytes=0-5' }, ...LIMITS })
    await response.discard()
    expect(server.requests.map(({ headers }) => headers['accept-encoding'])).toEqual([
      'gzip, deflate, br, zstd',
      'identity',
    ])
  })
})

describe('limits', () => {
  const tooLarge = { code: 'response_too_large' }

  test('a body of maxBytes is read, a longer one is refused and its connection closed', async () => {
    const server = await serve((request, response) => response.end('x'.repeat(Number(request.url!.slice(1)))))
    const get = (size: number) =>
      fetch({ url: `http://127.0.0.1:${server.port}/${size}`, maxBytes: 1000, timeoutMs: 20_000 }).then(r =>
        readText(r.body),
      )
    expect((await get(1000)).length).toBe(1000)
    await expect(get(1001)).rejects.toMatchObject(tooLarge)
  })

  test('an endless body is cut off', async () => {
    const { url, sockets } = await serveRaw(socket => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const more = () => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536)));
      }
      socket.on('drain', more)
      more()
    })
    const response = await fetch({ url, ...LIMITS })
    await expect(readText(response.body)).rejects.toMatchObject(tooLarge)
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true), { timeout: 20_000 })
  })

  test('a compressed bomb is stopped at maxBytes', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(50_000_000)))
    const server = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(bomb))
    const response = await fetch({ url: `http://127.0.0.1:${server.port}/`, ...LIMITS })
    let read = 0
    const reading = (async () => {
      for await (const chunk of response.body) read += chunk.length
    })()
    await expect(reading).rejects.toMatchObject(tooLarge)
    expect(read).toBeLessThanOrEqual(LIMITS.maxBytes)
  })

  test('a compressed stream that decodes to nothing is limited by the bytes received', async () => {
    const header = gzipSync('').subarray(0, 10)
    const emptyBlocks = Buffer.concat(Array(100).fill(Buffer.from([0, 0, 0, 0xff, 0xff])))
    const { url } = await serveRaw(socket => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n')
      socket.write(header)
      const more = () => {
        while (!socket.destroyed && socket.write(emptyBlocks));
      }
      socket.on('drain', more)
      more()
    })
    const response = await fetch({ url, ...LIMITS })
    await expect(readText(response.body)).rejects.toMatchObject(tooLarge)
  })

  test('a few interim responses are skipped, an endless series is unreadable', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'
    const { url, sockets } = await serveRaw(socket => socket.write(early.repeat(101)))
    const few = await serveRaw(socket =>
      socket.write(`${early.repeat(100)}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`),
    )
    const connections = keptConnections({ rules: parseAddressRules('true'), perHost: 1 })
    onTestFinished(() => connections.close())
    for (const one of [fetch, createGuardedFetch({ rules: parseAddressRules('true'), connections })]) {
      await expect(one({ url, ...LIMITS })).rejects.toMatchObject({ code: 'response_unreadable' })
      expect(await readText((await one({ url: few.url, ...LIMITS })).body)).toBe('ok')
    }
    await vi.waitFor(() => expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]), { timeout: 20_000 })
  })

  test('endless headers are unreadable', async () => {
    const { url } = await serveRaw(socket => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`))
    await expect(fetch({ url, ...LIMITS })).rejects.toMatchObject({ code: 'response_unreadable' })
  })
})

describe('time', () => {
  const timeout = { code: 'timeout' }

  test('timeoutMs applies to the last byte, however slowly the body drips', async () => {
    const { url, sockets } = await serveRaw(socket => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const drip = setInterval(() => socket.write('.'), 5)
      socket.on('close', () => clearInterval(drip))
    })
    const response = await fetch({ url, maxBytes: 1e9, timeoutMs: 300 })
    await expect(readText(response.body)).rejects.toMatchObject(timeout)
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true), { timeout: 20_000 })
  })

  test('timeoutMs covers all redirects', async () => {
    const server = await serve((_, response) => {
      setTimeout(() => response.writeHead(307, { location: '/again' }).end(), 20)
    })
    const url = `http://127.0.0.1:${server.port}/`
    await expect(fetch({ url, maxBytes: 1, timeoutMs: 300, maxRedirects: 1e6 })).rejects.toMatchObject(timeout)
  })

  test('a lookup that never answers ends at the connect timeout, and at timeoutMs', async () => {
    const stuck = createGuardedFetch({ rules: parseAddressRules('false'), lookup: () => new Promise(() => {}) })
    const url = 'http://never.test/'
    await expect(stuck({ url, maxBytes: 1, connectTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'connection_failed',
    })
    await expect(stuck({ url, maxBytes: 1, timeoutMs: 100 })).rejects.toMatchObject(timeout)
  })

  test('silence before the headers or within the body ends at idleTimeoutMs', async () => {
    const silent = await serveRaw(() => {})
    await expect(fetch({ url: silent.url, maxBytes: 1, idleTimeoutMs: 1000 })).rejects.toMatchObject(timeout)
    const stopping = await serveRaw(socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'))
    const response = await fetch({ url: stopping.url, maxBytes: 99, idleTimeoutMs: 1000 })
    await expect(readText(response.body)).rejects.toMatchObject(timeout)
  })

  test('an abort before or while connecting, waiting and reading throws its reason and closes the connection', async () => {
    const reason = new Error('the job was cancelled')
    const before = AbortSignal.abort(reason)
    await expect(fetch({ url: 'http://127.0.0.1:1/', signal: before, ...LIMITS })).rejects.toBe(reason)

    const connecting = new AbortController()
    const stuck = createGuardedFetch({
      rules: parseAddressRules('false'),
      lookup: () => new Promise(() => connecting.abort(reason)),
    })
    await expect(stuck({ url: 'http://never.test/', signal: connecting.signal, ...LIMITS })).rejects.toBe(reason)

    const waiting = new AbortController()
    const silent = await serveRaw(() => waiting.abort(reason))
    await expect(fetch({ url: silent.url, signal: waiting.signal, ...LIMITS })).rejects.toBe(reason)

    const reading = new AbortController()
    const half = await serveRaw(socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'))
    const response = await fetch({ url: half.url, signal: reading.signal, ...LIMITS })
    const read = readText(response.body)
    reading.abort(reason)
    await expect(read).rejects.toBe(reason)
    for (const { sockets } of [silent, half])
      await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true), { timeout: 20_000 })
  })
})

describe('failures of the connection', () => {
  const failed = { code: 'connection_failed' }

  test('a closed port, an unknown name and a lost connection are told', async () => {
    const server = await serve((_, response) => response.end())
    server.server.close()
    const saying = (message: string) => ({ ...failed, message: expect.stringContaining(`: ${message}`) })
    await expect(fetch({ url: `http://127.0.0.1:${server.port}/`, ...LIMITS })).rejects.toMatchObject(
      saying('the connection was refused (ECONNREFUSED)'),
    )

    const unknown = createGuardedFetch({
      rules: parseAddressRules('false'),
      lookup: () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })),
    })
    await expect(unknown({ url: 'http://nowhere.test/', ...LIMITS })).rejects.toMatchObject(
      saying('there is no such name (ENOTFOUND)'),
    )
    const empty = createGuardedFetch({ rules: parseAddressRules('false'), lookup: async () => [] })
    await expect(empty({ url: 'http://nowhere.test/', ...LIMITS })).rejects.toMatchObject(failed)
  })

  test.each([
    'content-length: 9\r\n\r\nabc',
    'content-length: 9\r\nconnection: close\r\n\r\nabc',
    'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n',
    'transfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n',
    'transfer-encoding: chunked\r\nconnection: close\r\n\r\n9\r\nabc',
  ])('a response that is cut off by the other side is a failed connection: %j', async answer => {
    const { url } = await serveRaw(socket => socket.end(`HTTP/1.1 200 OK\r\n${answer}`))
    const response = await fetch({ url, ...LIMITS })
    await expect(readText(response.body)).rejects.toMatchObject({
      ...failed,
      message: expect.stringContaining(': the other side closed the connection'),
    })
  })

  test('a response that is not HTTP is unreadable', async () => {
    const { url } = await serveRaw(socket => socket.end('SSH-2.0-OpenSSH_9.6\r\n'))
    await expect(fetch({ url, ...LIMITS })).rejects.toMatchObject({ code: 'response_unreadable' })
  })

  test('an unread response does no harm when its connection breaks, and discard closes it', async () => {
    const breaking = await serveRaw(socket => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc')
    })
    await fetch({ url: breaking.url, ...LIMITS })
    breaking.sockets[0]?.resetAndDestroy()
    const other = await serveRaw(socket => socket.write('HTTP/1.1 200 OK\r\n\r\nabc'))
    const response = await fetch({ url: other.url, ...LIMITS })
    await response.discard()
    await vi.waitFor(() => expect(other.sockets[0]?.destroyed).toBe(true), { timeout: 20_000 })
  })

  test('a response whose connection is closed before it is read is complete, with or without a length', async () => {
    const body = Buffer.alloc(64 * 1024, 'x')
    for (const header of [`Content-Length: ${body.length}`, 'X-Length: none']) {
      const { url, sockets } = await serveRaw(socket => {
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\n${header}\r\nConnection: close\r\n\r\n`)
          socket.end(body)
        })
      })
      const response = await fetch({ url, ...LIMITS })
      await expect.poll(() => sockets[0]?.closed).toBe(true)
      expect(await readText(response.body)).toBe(body.toString())
    }
  })

  test('leaving the body early closes the connection', async () => {
    const { url, sockets } = await serveRaw(socket => socket.write('HTTP/1.1 200 OK\r\n\r\nabc'))
    const { body } = await fetch({ url, ...LIMITS })
    for await (const chunk of body) {
      expect(Buffer.from(chunk).toString()).toBe('abc')
      break
    }
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true), { timeout: 20_000 })
  })
})

describe('TLS', () => {
  test('the certificate is checked against the requested name, not the address', async context => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const [key, cert] = ['key.pem', 'cert.pem'].map(name => join(directory, name)) as [string, string]
    const parameters = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=name.test']
    try {
      execFileSync('openssl', ['req', ...parameters, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    } catch {
      return context.skip('needs openssl to make a certificate')
    }
    const names: string[] = []
    const server = createTlsServer({
      key: readFileSync(key),
      cert: readFileSync(cert),
      SNICallback: (name, done) => {
        names.push(name)
        done(null)
      },
    })
    server.on('tlsClientError', () => {})
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const byName = createGuardedFetch({
      rules: parseAddressRules('name.test'),
      lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    })
    const url = `https://name.test:${(server.address() as AddressInfo).port}/`
    await expect(byName({ url, ...LIMITS })).rejects.toMatchObject({ code: 'certificate_refused' })
    expect(names).toEqual(['name.test'])
  })
})
