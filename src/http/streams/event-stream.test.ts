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

test('a long stream keeps none of the events that it has sent', async () => {
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

test('an event is serialized once, however many listen', async () => {
  const pushes: ((event: object) => void)[] = []
  const { port } = await serve((request, response) => {
    const subscribe = (push: (event: object) => void) => {
      pushes.push(push)
      return () => {}
    }
    void streamEvents({ to: { request, response }, subscribe, pingMs: 60_000 })
  })
  const leaving = new AbortController()
  onTestFinished(() => leaving.abort())
  const listen = async () => (await fetch(`http://127.0.0.1:${port}`, { signal: leaving.signal })).body!.getReader()
  const listeners = await Promise.all([listen(), listen(), listen()])
  let written = 0
  const event = (index: number) => ({ id: index, toJSON: () => ({ index, written: ++written }) })
  const events = [event(1), event(2)]
  for (const push of pushes) for (const one of events) push(one)
  for (const listener of listeners) {
    let text = ''
    while (!text.includes('"index":2')) text += Buffer.from((await listener.read()).value!).toString()
    expect(text).toBe('id: 1\ndata: {"index":1,"written":1}\n\nid: 2\ndata: {"index":2,"written":2}\n\n')
  }
  expect(written).toBe(2)
})
