import { expect, test } from 'vitest'
import { parseAddressRules } from '../../src/kernel/address-rules.ts'
import type { Lookup } from '../../src/kernel/guarded-connect.ts'
import { createGuardedFetch } from '../../src/kernel/guarded-fetch.ts'
import { readText, serve } from './local-server.ts'

/** Attacks on the guarded fetch. The prey is a server on the loopback address: it must not even see a connection. */

const LIMITS = { maxBytes: 1_000_000, timeoutMs: 20_000 }

const answering =
  (...addresses: string[]): Lookup =>
  async () =>
    addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))

test.each([
  'http://127.0.0.1',
  'http://127.1',
  'http://127.0.1',
  'http://2130706433',
  'http://0x7f000001',
  'http://0x7f.1',
  'http://0X7F.0x0.0X0.0x1',
  'http://0177.0.0.1',
  'http://017700000001',
  'http://127.0.0.1.',
  'http://127.0.0.2',
  'http://①②⑦.⓪.⓪.①',
  'http://127。0。0。1',
  'http://%31%32%37.0.0.1',
  'http://8.8.8.8@127.0.0.1',
  'http://0',
  'http://0.0.0.0',
  'http://localhost',
  'http://LocalHost',
  'http://[::1]',
  'http://[0:0:0:0:0:0:0:1]',
  'http://[::]',
  'http://[::ffff:127.0.0.1]',
  'http://[::ffff:7f00:1]',
  'http://[::127.0.0.1]',
  'http://[64:ff9b::127.0.0.1]',
  'http://[2002:7f00:1::]',
  'http://[2001:0:7f00:1::]',
  'http://10.0.0.1',
  'http://169.254.169.254',
  'http://[fd00:ec2::254]',
  'http://[fe80::1]',
  'http://224.0.0.1',
])('%s is refused before any connection is made', async origin => {
  const prey = await serve((_, response) => response.end('the secret'))
  const fetch = createGuardedFetch({ rules: parseAddressRules('false') })
  await expect(fetch({ url: `${origin}:${prey.port}/latest`, ...LIMITS })).rejects.toMatchObject({
    code: 'address_refused',
  })
  expect(prey.connections()).toBe(0)
})

test.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1:70/', 'data:,x', 'nonsense', '//host/path'])(
  '%s is refused: neither http nor https',
  async url => {
    const fetch = createGuardedFetch({ rules: parseAddressRules('true') })
    await expect(fetch({ url, ...LIMITS })).rejects.toMatchObject({ code: 'address_refused' })
  },
)

test('a name with a private address is refused, whatever its other addresses', async () => {
  const prey = await serve((_, response) => response.end('the secret'))
  for (const addresses of [['127.0.0.1'], ['93.184.215.14', '127.0.0.1'], ['2606:4700::1', '::ffff:127.0.0.1']]) {
    const fetch = createGuardedFetch({ rules: parseAddressRules('false'), lookup: answering(...addresses) })
    await expect(fetch({ url: `http://mixed.test:${prey.port}/`, ...LIMITS })).rejects.toMatchObject({
      code: 'address_refused',
    })
  }
  expect(prey.connections()).toBe(0)
})

test.runIf(process.platform === 'linux')(
  'a name that resolves differently after the check (DNS rebinding) is not connected to [needs 127.0.0.2, which Linux has]',
  async () => {
    const bait = await serve((_, response) => response.end('harmless'), '127.0.0.2')
    const prey = await serve((_, response) => response.end('the secret'), '127.0.0.1', bait.port)
    let lookups = 0
    const rebinding: Lookup = async () => [{ address: lookups++ % 2 === 0 ? '127.0.0.2' : '127.0.0.1', family: 4 }]
    const fetch = createGuardedFetch({ rules: parseAddressRules('127.0.0.2'), lookup: rebinding })
    const answers: string[] = []
    for (let i = 0; i < 20; i++) {
      const answer = fetch({ url: `http://rebind.test:${bait.port}/`, ...LIMITS }).then(({ body }) => readText(body))
      answers.push(await answer.catch(error => error.code))
    }
    expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 'harmless' : 'address_refused')))
    expect([lookups, prey.connections()]).toEqual([20, 0])
  },
)

test.runIf(process.platform === 'linux')(
  'a redirect to a private or rebound address, or to another scheme, is refused [needs 127.0.0.2, which Linux has]',
  async () => {
    const prey = await serve((_, response) => response.end('the secret'))
    const targets = [
      `http://127.0.0.1:${prey.port}/`,
      `http://2130706433:${prey.port}/`,
      `http://[::ffff:127.0.0.1]:${prey.port}/`,
      `http://bait.test:${prey.port}/`, // the name of the bait, which by now leads to the prey
      `//127.0.0.1:${prey.port}/`,
      'file:///etc/passwd',
      'ftp://127.0.0.1/',
    ]
    const outcomes: string[] = []
    for (const location of targets) {
      const bait = await serve((_, response) => response.writeHead(302, { location }).end(), '127.0.0.2')
      let lookups = 0
      const lookup: Lookup = async () => [{ address: lookups++ === 0 ? '127.0.0.2' : '127.0.0.1', family: 4 }]
      const fetch = createGuardedFetch({ rules: parseAddressRules('127.0.0.2'), lookup })
      const answer = fetch({ url: `http://bait.test:${bait.port}/`, ...LIMITS })
      outcomes.push(await answer.then(({ status }) => `${status}`).catch(error => error.code))
      expect(bait.requests).toHaveLength(1)
    }
    const [refused, unreadable] = ['address_refused', 'redirect_refused']
    expect(outcomes).toEqual([refused, refused, refused, refused, refused, unreadable, unreadable])
    expect(prey.connections()).toBe(0)
  },
)

test('proxies in the environment are ignored, since they would connect unchecked', async () => {
  const proxy = await serve((_, response) => response.end('through the proxy'))
  const server = await serve((_, response) => response.end('direct'))
  const names = ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY']
  for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`
  try {
    const fetch = createGuardedFetch({ rules: parseAddressRules('true') })
    const { body } = await fetch({ url: `http://127.0.0.1:${server.port}/`, ...LIMITS })
    expect(await readText(body)).toBe('direct')
  } finally {
    for (const name of names) delete process.env[name]
  }
  expect(proxy.connections()).toBe(0)
})

test('a refusal does not reveal the internal address of a name', async () => {
  const fetch = createGuardedFetch({ rules: parseAddressRules('false'), lookup: answering('10.20.30.40') })
  const error = await fetch({ url: 'http://db.internal/', ...LIMITS }).catch(error => error)
  expect(error.message).toContain('db.internal')
  expect(error.message).not.toContain('10.20.30.40')
})
