import { gzipSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { readText, serve } from '../fetch/local-server.ts'
import { attempt } from './attempt.ts'

const KEPT = 64 * 1024

test('a GET with status 200 completes, and stores status, headers, time and body', async () => {
  const server = await serve((_, response) => response.writeHead(200, { 'x-made-by': 'test' }).end('alive ✓'))
  const { outcome, result, context } = await attempt({ url: `http://127.0.0.1:${server.port}/health` })
  expect(outcome).toMatchObject({ type: 'completed', statistics: { http_status: 200, bytes: 9 } })
  expect(result).toMatchObject({
    status: 200,
    headers: { 'x-made-by': 'test' },
    body: 'alive ✓',
    body_truncated: false,
  })
  expect((result as { elapsed_ms: number }).elapsed_ms).toBeGreaterThanOrEqual(0)
  expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/health' })
  expect(context.log.notes).toHaveLength(1)
  expect(context.log.notes[0]).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/health: 200 in \d+ ms, 9 bytes$/)
})

test('method, headers, secret headers and body are sent as given', async () => {
  const bodies: string[] = []
  const server = await serve(async (request, response) => {
    bodies.push(await readText(request))
    response.end()
  })
  const url = `http://127.0.0.1:${server.port}/`
  const headers = { 'X-Kind': 'nightly', Authorization: '***' }
  await attempt(
    { url, method: 'PUT', headers, body: 'text' },
    { secrets: { 'http.headers.Authorization': 'Bearer k3y' } },
  )
  await attempt({ url, method: 'POST', body: { n: [1, 'ü'] } })
  await attempt({ url, method: 'POST', body: [1], headers: { 'Content-Type': 'application/vnd.own+json' } })
  expect(bodies).toEqual(['text', '{"n":[1,"ü"]}', '[1]'])
  expect(server.requests[0]).toMatchObject({
    method: 'PUT',
    headers: { 'x-kind': 'nightly', authorization: 'Bearer k3y' },
  })
  expect(server.requests[1]?.headers['content-type']).toBe('application/json')
  expect(server.requests[2]?.headers['content-type']).toBe('application/vnd.own+json')
})

test('another status than expected is a failure of the user; the log has status, time and body', async () => {
  const server = await serve((_, response) => response.writeHead(503).end('down for repairs'))
  const { outcome, context, result } = await attempt({ url: `http://127.0.0.1:${server.port}/` })
  expect(outcome).toEqual({
    type: 'failed',
    failure: 'user',
    reason: 'unexpected_status',
    message: 'Expected status 200, got 503.',
    statistics: { http_status: 503, elapsed_ms: expect.any(Number), bytes: 16 },
  })
  expect(result).toBe(null)
  expect(context.log.text('stdout')).toBe('down for repairs')
  expect(context.log.notes[0]).toMatch(/: 503 in \d+ ms, 16 bytes$/)
})

test.each([
  [404, 404, 'completed'],
  [[200, 204], 204, 'completed'],
  [[200, 204], 201, 'failed'],
  [204, 200, 'failed'],
] as const)('expected status %j and answer %i is %s', async (expected_status, status, type) => {
  const server = await serve((_, response) => response.writeHead(status).end())
  const { outcome } = await attempt({ url: `http://127.0.0.1:${server.port}/`, expected_status })
  expect(outcome.type).toBe(type)
  if (outcome.type === 'failed') expect(outcome.message).toMatch(new RegExp(`^Expected status .*, got ${status}\\.$`))
})

test('redirects are followed, unless a redirect is expected', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/old?key=k') response.writeHead(301, { location: '/new' }).end('moved')
    else response.end('found')
  })
  const url = `http://127.0.0.1:${server.port}/old?key=k`
  const followed = await attempt({ url })
  expect(followed.result).toMatchObject({ status: 200, body: 'found' })
  expect(followed.context.log.notes[0]).toMatch(
    /^GET http:\/\/127\.0\.0\.1:\d+\/old\?… → http:\/\/127\.0\.0\.1:\d+\/new: 200 /,
  )
  const seen = await attempt({ url, expected_status: 301 })
  expect(seen.result).toMatchObject({ status: 301, body: 'moved' })
})

test.runIf(process.platform === 'linux')(
  'a redirect to a private address is refused before any connection is made [needs 127.0.0.2, which Linux has]',
  async () => {
    const prey = await serve((_, response) => response.end('the secret'), '127.0.0.2')
    const server = await serve((_, response) => {
      response.writeHead(302, { location: `http://127.0.0.2:${prey.port}/` }).end()
    })
    const { outcome } = await attempt({ url: `http://127.0.0.1:${server.port}/` }, { rules: '127.0.0.1' })
    expect(outcome).toMatchObject({ type: 'failed', failure: 'user', reason: 'address_refused' })
    expect(prey.connections()).toBe(0)
  },
)

test('a closed port and a broken connection are system failures', async () => {
  const closed = await serve((_, response) => response.end())
  closed.server.close()
  const breaking = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('half', () => response.destroy())
  })
  const known: unknown[] = []
  for (const { port } of [closed, breaking]) {
    const { outcome, context } = await attempt({ url: `http://127.0.0.1:${port}/` })
    expect(outcome).toMatchObject({ type: 'failed', failure: 'system', reason: 'connection_failed' })
    expect(context.log.notes).toHaveLength(1)
    known.push(outcome.type === 'failed' && outcome.statistics)
  }
  const elapsed_ms = expect.any(Number)
  expect(known).toEqual([{ elapsed_ms }, { http_status: 200, bytes: 4, elapsed_ms }])
})

test('neither the log nor the error contains credentials or the query of the URL', async () => {
  const server = await serve((_, response) => response.end())
  const answered = await attempt({ url: `http://us3r:p4ss@127.0.0.1:${server.port}/x?token=t0ken` })
  expect(server.requests[0]?.headers.authorization).toBe(`Basic ${btoa('us3r:p4ss')}`)
  server.server.closeAllConnections()
  await new Promise(resolve => server.server.close(resolve))
  const failed = await attempt({ url: `http://us3r:p4ss@127.0.0.1:${server.port}/x?token=t0ken` })
  const told = JSON.stringify([answered.context.log.notes, failed.context.log.notes, failed.outcome, answered.result])
  expect(failed.outcome).toMatchObject({ reason: 'connection_failed' })
  for (const secret of ['us3r', 'p4ss', 't0ken']) expect(told).not.toContain(secret)
})

test('secrets are masked in the stored headers of a response, and its body is stored unchanged', async () => {
  const server = await serve((request, response) => {
    const sent = String(request.headers.authorization)
    response.setHeader('X-Repeated', sent).end(sent)
  })
  const { result } = await attempt(
    { url: `http://127.0.0.1:${server.port}/`, headers: { Authorization: '***' } },
    { secrets: { 'http.headers.Authorization': 'Bearer a-long-secret' } },
  )
  expect(result).toMatchObject({ headers: { 'x-repeated': '***' }, body: 'Bearer a-long-secret' })
})

test('the first 64 KiB of an endless body are stored, and the connection is closed', async () => {
  let isOpen = true
  const server = await serve((_, response) => {
    const more = () => {
      while (isOpen && response.write('x'.repeat(65_536)));
    }
    response.on('drain', more).on('close', () => {
      isOpen = false
    })
    more()
  })
  const { outcome, result, context } = await attempt({ url: `http://127.0.0.1:${server.port}/` })
  expect(outcome).toMatchObject({ type: 'completed', statistics: { bytes: KEPT } })
  expect(result).toMatchObject({ body: 'x'.repeat(KEPT), body_truncated: true })
  expect(context.log.notes[0]).toContain(`more than ${KEPT} bytes`)
  await vi.waitFor(() => expect(isOpen).toBe(false), { timeout: 20_000 })
})

test('a body of exactly 64 KiB is stored whole, and a truncated one ends between characters', async () => {
  const server = await serve((request, response) =>
    response.end(request.url === '/whole' ? 'a'.repeat(KEPT) : `a${'é'.repeat(KEPT)}`),
  )
  const whole = await attempt({ url: `http://127.0.0.1:${server.port}/whole` })
  expect(whole.result).toMatchObject({ body: 'a'.repeat(KEPT), body_truncated: false })
  const cut = await attempt({ url: `http://127.0.0.1:${server.port}/cut` })
  expect(cut.result).toMatchObject({ body: `a${'é'.repeat(KEPT / 2 - 1)}`, body_truncated: true })
})

test('invalid UTF-8 is replaced, compressed bodies are decoded, and a bomb is cut at 64 KiB', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/bytes') response.end(Buffer.from([0x61, 0xff, 0xfe, 0x62]))
    else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000, 'z')))
  })
  const bytes = await attempt({ url: `http://127.0.0.1:${server.port}/bytes` })
  expect(bytes.result).toMatchObject({ body: 'a\ufffd\ufffdb' })
  const bomb = await attempt({ url: `http://127.0.0.1:${server.port}/bomb` })
  expect(bomb.result).toMatchObject({ body: 'z'.repeat(KEPT), body_truncated: true })
})

test.each(['never answers', 'drips for ever'])(
  'a server that %s is disconnected when the attempt is told to stop',
  async how => {
    let isOpen = false
    const server = await serve((_, response) => {
      isOpen = true
      const drip = how === 'never answers' ? undefined : setInterval(() => response.write('.'), 5)
      response.on('close', () => {
        clearInterval(drip)
        isOpen = false
      })
      const begun = drip === undefined ? Promise.resolve() : new Promise(resolve => setTimeout(resolve, 200))
      begun.then(() => expect.poll(() => stop).toBeDefined()).then(() => stop!())
    })
    let stop: (() => void) | undefined
    const { outcome, context } = await attempt(
      { url: `http://127.0.0.1:${server.port}/` },
      { onContext: ({ stop: signal }) => (stop = () => signal.stop('timeout', 0)) },
    )
    const seen = how === 'never answers' ? {} : { http_status: 200, bytes: expect.any(Number) }
    expect(outcome).toEqual({ type: 'stopped', statistics: { elapsed_ms: expect.any(Number), ...seen } })
    expect(context.log.notes).toEqual([])
    await vi.waitFor(() => expect(isOpen).toBe(false), { timeout: 20_000 })
  },
)
