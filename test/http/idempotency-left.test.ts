import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import Fastify from 'fastify'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { App } from '../../src/http/app.ts'
import { keepAnswers } from '../../src/http/idempotency.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { Store } from '../../src/store/store.ts'

test('a key whose client leaves while it is looked up is not renewed', async () => {
  const begun = Promise.withResolvers<void>()
  const mayEnd = Promise.withResolvers<void>()
  const store = {
    beginIdempotent: async () => {
      begun.resolve()
      await mayEnd.promise
      return { type: 'new' }
    },
    finishIdempotent: async () => {},
  }
  const app = Fastify()
  app.addHook('onRequest', (request, _reply, done) => {
    Object.assign(request, { caller: { workspace: 'w' } })
    done()
  })
  keepAnswers(app as unknown as App, { store: store as unknown as Store, logger: silentLogger, publicUrl: '' })
  const handled = Promise.withResolvers<void>()
  app.post('/', async () => handled.resolve())
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
  mayEnd.resolve()
  await handled.promise
  expect(vi.getTimerCount()).toBe(0)
})
