import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createReceiver, createSender } from './launch-protocol.ts'

const messages = fc.array(fc.record({ ticket: fc.nat(), text: fc.string({ unit: 'binary' }) }), { maxLength: 20 })

test('messages arrive whole and in order, however their text is split', () => {
  fc.assert(
    fc.property(messages, fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 50 }), (sent, cuts) => {
      const received: unknown[] = []
      const receive = createReceiver(message => received.push(message))
      let text = sent.map(message => `${JSON.stringify(message)}\n`).join('')
      for (let i = 0; text !== ''; i++) {
        const length = 1 + cuts[i % cuts.length]!
        receive(text.slice(0, length))
        text = text.slice(length)
      }
      expect(received).toEqual(sent)
    }),
  )
})

test('messages of one turn of the event loop are one write', async () => {
  const written: string[] = []
  const send = createSender<number>(text => written.push(text))
  for (const message of [1, 2, 3]) send(message)
  await new Promise(resolve => setImmediate(resolve))
  send(4)
  await new Promise(resolve => setImmediate(resolve))
  expect(written).toEqual(['1\n2\n3\n', '4\n'])
})
