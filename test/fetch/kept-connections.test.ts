import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { parseAddressRules } from '../../src/kernel/address-rules.ts'
import type { Lookup } from '../../src/kernel/guarded-connect.ts'
import { keptConnections } from '../../src/kernel/guarded-connections.ts'
import { createGuardedFetch } from '../../src/kernel/guarded-fetch.ts'
import { readText, serve } from './local-server.ts'

const LIMITS = { maxBytes: 65_536, timeoutMs: 20_000 }

/** A fetch that keeps its connections until the end of the test. */
const keeping = (rules: string, options: { lookup?: Lookup; perHost?: number } = {}) => {
  const guard = { rules: parseAddressRules(rules), ...options }
  const connections = keptConnections({ perHost: 4, ...guard })
  onTestFinished(() => connections.close())
  return createGuardedFetch({ ...guard, connections })
}

test('consecutive requests share a connection, and concurrent ones use no more than allowed', async () => {
  const server = await serve((_, response) => response.end('ok'))
  const fetch = keeping('127.0.0.0/8')
  const ask = async () => readText((await fetch({ url: `http://127.0.0.1:${server.port}/`, ...LIMITS })).body)
  for (let i = 0; i < 5; i++) expect(await ask()).toBe('ok')
  // The first may still be busy with the last bytes of its response when the second request comes.
  expect(server.connections()).toBeLessThanOrEqual(2)
  const answers = await Promise.all(Array.from({ length: 40 }, ask))
  expect(answers.every(text => text === 'ok')).toBe(true)
  expect(server.connections()).toBe(4)
})

test('a response that is left early loses its connection, and the next request opens another', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/endless') response.write('x'.repeat(1000))
    else response.end('ok')
  })
  const fetch = keeping('127.0.0.0/8', { perHost: 1 })
  const endless = await fetch({ url: `http://127.0.0.1:${server.port}/endless`, ...LIMITS })
  for await (const _ of endless.body) break
  const next = await fetch({ url: `http://127.0.0.1:${server.port}/`, ...LIMITS })
  expect(await readText(next.body)).toBe('ok')
  expect(server.connections()).toBe(2)
})

test('a request that times out while it waits for a connection does not affect the others', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/quick') response.end('ok')
  })
  const fetch = keeping('127.0.0.0/8', { perHost: 1 })
  const url = `http://127.0.0.1:${server.port}`
  const patience = new AbortController()
  const silent = fetch({ url: `${url}/silent`, signal: patience.signal, ...LIMITS })
  await vi.waitFor(() => expect(server.requests).toHaveLength(1), { timeout: 20_000 })
  await expect(fetch({ url: `${url}/late`, maxBytes: 10, timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout' })
  patience.abort(new Error('enough'))
  await expect(silent).rejects.toThrow('enough')
  const quick = await fetch({ url: `${url}/quick`, ...LIMITS })
  expect(await readText(quick.body)).toBe('ok')
  expect(server.requests.map(({ path }) => path)).not.toContain('/late')
})

test('a private address is refused, literal or looked up, even if the name had another address before', async () => {
  const prey = await serve((_, response) => response.end('the secret'))
  const fetch = keeping('allowed.test', { lookup: async () => [{ address: '127.0.0.1', family: 4 }] })
  for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', 'forbidden.test', '2130706433'])
    await expect(fetch({ url: `http://${host}:${prey.port}/`, ...LIMITS })).rejects.toMatchObject({
      code: 'address_refused',
    })
  expect(prey.connections()).toBe(0)
  const allowed = await fetch({ url: `http://allowed.test:${prey.port}/`, ...LIMITS })
  expect(await readText(allowed.body)).toBe('the secret')
  // The connection of the allowed name is there, and no other name may use it.
  await expect(fetch({ url: `http://forbidden.test:${prey.port}/`, ...LIMITS })).rejects.toMatchObject({
    code: 'address_refused',
  })
  expect(prey.connections()).toBe(1)
})

test.runIf(process.platform === 'linux')(
  'a name that resolves to another address gets no connection to the old one [needs 127.0.0.2, which Linux has]',
  async () => {
    const first = await serve((_, response) => response.end('first'))
    const second = createServer((_, response) => response.end('second'))
    await new Promise<void>(resolve => second.listen(first.port, '127.0.0.2', resolve))
    onTestFinished(() => {
      second.closeAllConnections()
      second.close()
    })
    expect((second.address() as AddressInfo).port).toBe(first.port)
    let clock = performance.now()
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock)
    onTestFinished(() => now.mockRestore())
    const answers = ['127.0.0.1', '127.0.0.2', '10.0.0.1']
    const fetch = keeping('127.0.0.0/8', { lookup: async () => [{ address: answers.shift()!, family: 4 }] })
    const ask = async () => {
      clock += 60_000 // the answer of DNS is out of date
      return readText((await fetch({ url: `http://moving.test:${first.port}/`, ...LIMITS })).body)
    }
    expect(await ask()).toBe('first')
    expect(await ask()).toBe('second')
    await expect(ask()).rejects.toMatchObject({ code: 'address_refused' })
  },
)

test('closing aborts running requests', async () => {
  const server = await serve(() => {})
  const rules = parseAddressRules('127.0.0.0/8')
  const connections = keptConnections({ rules, perHost: 2 })
  const fetch = createGuardedFetch({ rules, connections })
  const waiting = fetch({ url: `http://127.0.0.1:${server.port}/`, ...LIMITS })
  await vi.waitFor(() => expect(server.requests).toHaveLength(1), { timeout: 20_000 })
  await connections.close()
  await expect(waiting).rejects.toMatchObject({ code: 'connection_failed' })
})
