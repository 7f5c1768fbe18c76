import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { withTwoAddresses } from '../../test/two-addresses.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { App } from './app.ts'
import { limitConnections, mostConnections } from './connection-limit.ts'
import { listenersOf } from './listeners.ts'

const limits = (files: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${files.padEnd(20)} 524288               files     \n`

test.each([
  ['1024', 512],
  ['524288', 16_384],
  ['unlimited', 16_384],
  ['1', 1],
])('with %s open files there may be %d connections', (files, most) => {
  expect(mostConnections(limits(files))).toBe(most)
})

test('there is a limit even if the system reports none', () => {
  expect(mostConnections(null)).toBe(16_384)
})

test('the limit applies to both addresses of a name together', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  limitConnections(app as unknown as App, { logger: silentLogger, most: 4 })
  await withTwoAddresses(() => app.listen({ host: 'localhost', port: 0 }))
  expect(listenersOf(app as unknown as App)).toHaveLength(2)
  const { port } = app.server.address() as AddressInfo
  for (const address of ['127.0.0.1', '127.0.0.2']) {
    const sockets: Socket[] = []
    for (let at = 0; at < 3; at++) {
      const socket = connect(port, address)
        .on('error', () => {})
        .resume()
      onTestFinished(() => void socket.destroy())
      await once(socket, 'connect')
      sockets.push(socket)
    }
    await expect.poll(() => sockets.map(({ closed }) => closed), { timeout: 20_000 }).toEqual([false, false, true])
  }
})
