import { expect, test } from 'vitest'
import { MillraceError } from './errors.ts'
import { loggedError } from './logger.ts'

test('what is away is told in one sentence, a fault of the program with where it is', () => {
  const cause = new Error('connect ECONNREFUSED')
  expect(loggedError(new MillraceError('unavailable', `Away: ${cause.message}`, { cause }))).toEqual({
    type: 'MillraceError',
    code: 'unavailable',
    message: 'Away: connect ECONNREFUSED',
  })
  expect(loggedError(new TypeError('x is no function'))).toMatchObject({
    type: 'TypeError',
    stack: expect.stringContaining('logger.test.ts'),
  })
})
