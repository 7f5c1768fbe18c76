import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import type { App } from '../app.ts'
import { limitBodies } from './body-limit.ts'

test('a client that disconnects before its token is checked takes no room', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  app.addHook('onRequest', async request => {
    // As while the store looks up the token.
    if (request.headers.leaves !== undefined) await new Promise(left => request.raw.socket.once('close', left))
    request.caller = { workspace: 'default', scopes: [], tokenId: null, job: null }
  })
  limitBodies(app as unknown as App, { maxBodyBytes: 100 })
  let looked = 0
  app.addHook('preParsing', async () => {
    looked += 1
  })
  app.post('/', async () => 'taken')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  for (let at = 0; at < 20; at++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nLeaves: 1\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n')
    await once(app.server, 'request')
    socket.resetAndDestroy()
  }
  await expect.poll(() => looked, { timeout: 20_000 }).toBe(20)
  const body = 'x'.repeat(100)
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body })
  expect([answer.status, await answer.text()]).toEqual([200, 'taken'])
})
