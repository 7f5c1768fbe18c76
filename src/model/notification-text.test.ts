import { expect, test } from 'vitest'
import { deliveryFailed } from './notification-text.ts'

test('a refused delivery was tried once, and one given up many times', () => {
  expect(deliveryFailed({ status: 'stopped', tries: 1, lastError: 'HTTP status 410' })).toMatchObject({
    title: 'A sink refused a delivery for good',
    message: 'Tried once. HTTP status 410',
  })
  expect(deliveryFailed({ status: 'failed', tries: 31, lastError: null })).toMatchObject({ message: 'Tried 31 times.' })
})
