import { expect, test } from 'vitest'
import { onInterrupt } from './interrupt.ts'

test('signals that come together are one press of Ctrl-C, a later one is another', () => {
  let presses = 0
  let now = 1000
  const stopListening = onInterrupt(
    () => {
      presses += 1
    },
    { monotonic: () => now },
  )
  process.emit('SIGINT')
  process.emit('SIGINT')
  process.emit('SIGTERM')
  expect(presses).toBe(1)
  now += 200
  process.emit('SIGINT')
  expect(presses).toBe(2)
  stopListening()
  expect(process.listenerCount('SIGINT')).toBe(0)
})
