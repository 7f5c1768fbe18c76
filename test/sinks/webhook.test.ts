import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { expect, test, vi } from 'vitest'
import { openSinks, parcel, receive, webhook } from './receiver.ts'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

test('a webhook is a POST of JSON whose signature the standardwebhooks package verifies', async () => {
  const receiver = await receive((_, response) => response.end('thanks'))
  const sent = parcel(webhook(receiver.url, { secret: SECRET }))
  expect(await openSinks().deliver(sent)).toEqual({ type: 'delivered', status: 200, error: null })
  const { method } = receiver.requests[0]!
  const headers = receiver.requests[0]!.headers as Record<string, string>
  expect(method).toBe('POST')
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': sent.deliveryId })
  expect(new Webhook(SECRET).verify(receiver.bodies[0]!, headers)).toEqual(JSON.parse(sent.body))
  const changed = receiver.bodies[0]!.replace('completed', 'failed')
  expect(() => new Webhook(SECRET).verify(changed, headers)).toThrow()
  const other = `whsec_${randomBytes(24).toString('base64')}`
  expect(() => new Webhook(other).verify(receiver.bodies[0]!, headers)).toThrow()
})

test('the id stays the same in every try, the time and its signature change', async () => {
  const receiver = await receive((_, response) => response.writeHead(500).end())
  const sinks = openSinks()
  const sent = parcel(webhook(receiver.url, { secret: SECRET }), { now: 1_700_000_000_000 })
  await sinks.deliver(sent)
  await sinks.deliver({ ...sent, now: 1_700_000_060_999 })
  const [first, second] = receiver.requests.map(({ headers }) => headers)
  expect(second?.['webhook-id']).toBe(first?.['webhook-id'])
  expect([first?.['webhook-timestamp'], second?.['webhook-timestamp']]).toEqual(['1700000000', '1700000060'])
  expect(second?.['webhook-signature']).not.toBe(first?.['webhook-signature'])
})

test('the user’s headers are sent, but do not replace those of the specification', async () => {
  const receiver = await receive((_, response) => response.end())
  const headers = { Authorization: 'Bearer k3y', 'Webhook-Id': 'forged', 'CONTENT-TYPE': 'text/plain' }
  await openSinks().deliver(parcel(webhook(receiver.url, { headers })))
  expect(receiver.requests[0]?.headers).toMatchObject({
    authorization: 'Bearer k3y',
    'webhook-id': parcel(webhook('')).deliveryId,
    'content-type': 'application/json',
  })
  expect(receiver.requests[0]?.headers).not.toHaveProperty('webhook-signature')
})

test.each([
  [200, 'delivered'],
  [204, 'delivered'],
  [299, 'delivered'],
  [301, 'retry'],
  [307, 'retry'],
  [400, 'retry'],
  [401, 'retry'],
  [404, 'retry'],
  [410, 'stopped'],
  [429, 'retry'],
  [500, 'retry'],
  [503, 'retry'],
] as const)('an answer with status %i is %s', async (status, type) => {
  const receiver = await receive((_, response) => response.writeHead(status, { location: '/other' }).end('why'))
  const outcome = await openSinks().deliver(parcel(webhook(receiver.url)))
  const error = type === 'delivered' ? null : `The receiver answered with status ${status}.`
  expect(outcome).toEqual({ type, status, error })
  expect(receiver.requests).toHaveLength(1)
})

test('many deliveries to one receiver share a few connections', async () => {
  const receiver = await receive((_, response) => response.end())
  const sinks = openSinks()
  const outcomes = await Promise.all(Array.from({ length: 300 }, () => sinks.deliver(parcel(webhook(receiver.url)))))
  expect(new Set(outcomes.map(({ type }) => type))).toEqual(new Set(['delivered']))
  expect(receiver.connections()).toBeLessThanOrEqual(32)
})

test.each(['http://127.0.0.1', 'http://[::1]', 'http://[::ffff:127.0.0.1]', 'http://localhost', 'http://2130706433'])(
  '%s is private: it is not contacted, and retried in case the address changes',
  async origin => {
    const prey = await receive((_, response) => response.end())
    const outcome = await openSinks('false').deliver(parcel(webhook(`${origin}:${prey.port}/`)))
    expect(outcome).toMatchObject({ type: 'retry', status: null })
    expect(outcome.error).toMatch(/^address_refused: /)
    expect(prey.connections()).toBe(0)
  },
)

test('a redirect to a private address is not followed', async () => {
  const prey = await receive((_, response) => response.end())
  const receiver = await receive((_, response) => response.writeHead(308, { location: prey.url }).end())
  expect(await openSinks().deliver(parcel(webhook(receiver.url)))).toMatchObject({ type: 'retry', status: 308 })
  expect(prey.connections()).toBe(0)
})

test('an endless answer counts as delivered by its status, and its connection is closed', async () => {
  let isOpen = true
  const receiver = await receive((_, response) => {
    const more = () => {
      while (isOpen && response.write('x'.repeat(65_536)));
    }
    response.on('drain', more).on('close', () => {
      isOpen = false
    })
    more()
  })
  expect(await openSinks().deliver(parcel(webhook(receiver.url)))).toMatchObject({ type: 'delivered' })
  await vi.waitFor(() => expect(isOpen).toBe(false), { timeout: 20_000 })
})

test('a slow answer is cut off after two seconds, and its status counts', async () => {
  let isOpen = true
  const receiver = await receive((_, response) => {
    response.writeHead(500)
    const drip = setInterval(() => response.write('.'), 20)
    response.on('close', () => {
      clearInterval(drip)
      isOpen = false
    })
  })
  expect(await openSinks().deliver(parcel(webhook(receiver.url)))).toMatchObject({ type: 'retry', status: 500 })
  await vi.waitFor(() => expect(isOpen).toBe(false), { timeout: 20_000 })
})

test('a receiver that never answers is given up after 15 seconds, and others are served meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const silent = await receive(() => {})
  const quick = await receive((_, response) => response.end())
  const sinks = openSinks()
  try {
    const waiting = sinks.deliver(parcel(webhook(silent.url)))
    while (silent.requests.length === 0) await new Promise(resolve => setImmediate(resolve))
    expect(await sinks.deliver(parcel(webhook(quick.url)))).toMatchObject({ type: 'delivered' })
    vi.advanceTimersByTime(15_000)
    expect(await waiting).toEqual({ type: 'retry', status: null, error: 'timeout: It took longer than 15000 ms.' })
  } finally {
    vi.useRealTimers()
  }
})

test('a receiver that is gone or breaks off is a failed try', async () => {
  const broken = await receive((_, response) => response.socket?.destroy())
  const gone = await receive(() => {})
  await new Promise(resolve => gone.server.close(resolve))
  for (const { url } of [broken, gone]) {
    const outcome = await openSinks().deliver(parcel(webhook(url)))
    expect(outcome).toMatchObject({ type: 'retry', status: null })
    expect(outcome.error).toMatch(/^connection_failed: /)
  }
})

test('an invalid request is stopped, and no error contains a secret that the receiver repeats', async () => {
  const echo = await receive((request, response) => response.writeHead(400).end(JSON.stringify(request.headers)))
  const sinks = openSinks()
  const secrets = { secret: SECRET, headers: { Authorization: 'Bearer k3y' } }
  const closed = `http://us3r:p4ss@127.0.0.1:1/t0ken?key=t0ken`
  const outcomes = [
    await sinks.deliver(parcel(webhook(echo.url, secrets))),
    await sinks.deliver(parcel(webhook(closed, secrets))),
    await sinks.deliver(parcel(webhook(echo.url, { headers: { Authorization: 'k3y\r\nx: y' } }))),
  ]
  expect(outcomes.map(({ type }) => type)).toEqual(['retry', 'retry', 'stopped'])
  for (const secret of [SECRET, SECRET.slice(6), 'k3y', 'us3r', 'p4ss', 't0ken'])
    expect(JSON.stringify(outcomes)).not.toContain(secret)
})

test('an abort ends the try at once with its reason', async () => {
  const silent = await receive(() => {})
  const stopping = new AbortController()
  const delivering = openSinks().deliver(parcel(webhook(silent.url), { signal: stopping.signal }))
  await vi.waitFor(() => expect(silent.requests).toHaveLength(1), { timeout: 20_000 })
  stopping.abort(new Error('the server stops'))
  await expect(delivering).rejects.toThrow('the server stops')
})

test.each(['x-unknown', 'gzip', 'gzip, gzip, gzip, gzip'])(
  'an answer with Content-Encoding %j counts by its status, whatever its content',
  async encoding => {
    const receiver = await receive((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end('no'))
    expect(await openSinks().deliver(parcel(webhook(receiver.url)))).toMatchObject({ type: 'delivered', status: 200 })
  },
)
