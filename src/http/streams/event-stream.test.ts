import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../../../test/fetch/local-server.ts'
import { streamEvents } from './event-stream.ts'

const EVENTS = 100_000

const heapUsed = (): number => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

test('a stream that is followed for long keeps nothing of the events that it has sent', async () => {
  const subscribed = Promise.withResolvers<(event: object) => void>()
  const { port } = await serve((request, response) => {
    const subscribe = (push: (event: object) => void) => {
      subscribed.resolve(push)
      return () => {}
    }
    void streamEvents({ to: { request, response }, subscribe, pingMs: 60_000 })
  })
  const leaving = new AbortController()
  onTestFinished(() => leaving.abort())
  const { body } = await fetch(`http://127.0.0.1:${port}`, { signal: leaving.signal })
  const push = await subscribed.promise
  let received = 0
  const reading = (async () => {
    for await (const chunk of body!) received += Buffer.from(chunk).toString().split('data: ').length - 1
  })().catch(() => {})
  const before = heapUsed()
  for (let index = 0; index < EVENTS; index++) {
    push({ index })
    await turn()
  }
  await expect.poll(() => received).toBeGreaterThanOrEqual(EVENTS - 1)
  expect(heapUsed() - before).toBeLessThan(8_000_000)
  leaving.abort()
  await reading
}, 60_000)
