import type { FastifyRequest } from 'fastify'
import { expect, test, vi } from 'vitest'
import { MillraceError } from '../kernel/errors.ts'
import { silentLogger } from '../kernel/logger.ts'
import { refusalOf } from './error-handler.ts'

const REQUEST = { id: 'r1', method: 'GET', routeOptions: { url: '/v1/jobs' } } as FastifyRequest

test.each([
  { name: 'a bug', thrown: new TypeError('x is not a function'), logged: 1 },
  {
    name: 'a database that is away',
    thrown: Object.assign(new MillraceError('unavailable', 'It is away.'), { cause: new Error('ECONNREFUSED') }),
    logged: 1,
  },
  { name: 'too many calls at once', thrown: new MillraceError('unavailable', 'At most 2 at once.'), logged: 0 },
  { name: 'a refusal', thrown: new MillraceError('not_found'), logged: 0 },
])('$name is logged $logged times', ({ thrown, logged }) => {
  const error = vi.spyOn(silentLogger, 'error')
  error.mockClear()
  refusalOf(thrown, REQUEST, silentLogger)
  expect(error).toHaveBeenCalledTimes(logged)
})
