import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import Fastify from 'fastify'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { App } from '../../src/http/app.ts'
import { keepAnswers } from '../../src/http/idempotency.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { Store } from '../../src/store/store.ts'

test('a key whose client has disconnected is renewed until the work has ended, and no longer', async () => {
  const begun = Promise.withResolvers<void>()
  const mayBegin = Promise.withResolvers<void>()
  const working = Promise.withResolvers<void>()
  const mayEnd = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<void>()
  let renewals = 0
  const store = {
    beginIdempotent: async () => {
      begun.resolve()
      await mayBegin.promise
      return { type: 'new' }
    },
    finishIdempotent: async () => finished.resolve(),
    renewIdempotent: async () => {
      renewals += 1
    },
  }
  const app = Fastify()
  app.addHook('onRequest', (request, _reply, done) => {
    Object.assign(request, { caller: { workspace: 'w' } })
    done()
  })
  keepAnswers(app as unknown as App, { store: store as unknown as Store, logger: silentLogger, publicUrl: '' })
  app.post('/', async () => {
    working.resolve()
    await mayEnd.promise
    return {}
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => app.close())
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())

  const gone = new Promise(resolve => app.server.once('connection', socket => socket.once('close', resolve)))
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: k\r\ncontent-length: 0\r\n\r\n')
  await begun.promise
  socket.destroy()
  await gone
  mayBegin.resolve()
  await working.promise
  vi.advanceTimersByTime(60_000)
  expect(renewals).toBe(3)
  mayEnd.resolve()
  await finished.promise
  expect(vi.getTimerCount()).toBe(0)
})
