import { expect, test } from 'vitest'
import { MillraceError } from '../kernel/errors.ts'
import { problemOf, toMillraceError } from './problem.ts'

const withFields = (fields: object) => Object.assign(new Error('told by a library'), fields)

test.each([
  [{ statusCode: 400, code: 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' }, 'bad_request'],
  [{ statusCode: 413, code: 'FST_ERR_CTP_BODY_TOO_LARGE' }, 'too_large'],
  [{ statusCode: 413, code: 'FST_FILES_LIMIT' }, 'too_large'],
  [{ statusCode: 415, code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' }, 'unsupported_media_type'],
  [{ statusCode: 431 }, 'bad_request'],
  [{ code: 'ENOSPC' }, 'insufficient_storage'],
  [{ code: 'ECONNREFUSED' }, 'unavailable'],
  [{ code: '57P01' }, 'unavailable'],
  [{ code: '23505' }, 'internal'],
  [{ statusCode: 500 }, 'internal'],
  [{}, 'internal'],
])('an error with %j is a refusal with the code %s', (fields, code) => {
  expect(toMillraceError(withFields(fields)).code).toBe(code)
})

test('anything thrown that is not an error is a server fault', () => {
  expect(toMillraceError('a text').code).toBe('internal')
  expect(toMillraceError(undefined).code).toBe('internal')
})

test('a server fault reveals nothing', () => {
  const problem = problemOf(toMillraceError(new Error('password=hunter2 in /etc/secret')))
  expect(JSON.stringify(problem)).not.toContain('hunter2')
  expect(problem).toMatchObject({ status: 500, code: 'internal', errors: [] })
})

test('a problem has the members of RFC 9457 and the wrong fields', () => {
  const error = new MillraceError('invalid', 'name: is required', {
    errors: [{ path: 'name', message: 'is required' }],
  })
  expect(problemOf(error)).toEqual({
    type: 'urn:millrace:error:invalid',
    title: 'A value is wrong',
    status: 422,
    code: 'invalid',
    detail: 'name: is required',
    hint: 'Each entry of errors names a field and what is expected.',
    errors: [{ path: 'name', message: 'is required' }],
  })
})
