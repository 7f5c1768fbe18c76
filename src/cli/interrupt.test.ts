import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { onInterrupt } from './interrupt.ts'

test('signals at the same time are one press of Ctrl-C, a later one is another', async () => {
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
  now += 200
  process.emit('SIGINT')
  expect(presses).toBe(2)
  await setImmediate()
  expect(process.listenerCount('SIGINT')).toBe(0)
})

test('a signal that arrives between two listeners is not lost', async () => {
  for (let round = 0; round < 200; round++) {
    const pressed = Promise.withResolvers<void>()
    const stopFirst = onInterrupt(pressed.resolve)
    process.kill(process.pid, 'SIGINT')
    stopFirst()
    const stopSecond = onInterrupt(pressed.resolve)
    await pressed.promise
    stopSecond()
    await setImmediate()
  }
})
