import { expect, test } from 'vitest'
import { refusalOf } from './refusal.ts'

test('a problem is one line with its code, the other wrong fields below it, and the hint', () => {
  const failure = refusalOf(
    422,
    JSON.stringify({
      title: 'A value is wrong',
      code: 'invalid',
      detail: 'name: must be text',
      hint: 'Look.',
      errors: [
        { path: 'name', message: 'must be text' },
        { path: '', message: 'must have a kind' },
      ],
    }),
  )
  expect(failure.message).toBe('name: must be text (invalid)\n  (body): must have a kind')
  expect(failure).toMatchObject({ code: 'invalid', status: 422, hint: 'Look.', exitCode: 125 })
})

test.each(['<html>Bad gateway</html>', '', 'null', '"text"'])(
  'an answer that is no problem (%j) is told by status',
  body => {
    expect(refusalOf(502, body)).toMatchObject({ message: 'the server answered 502 (status 502)', status: 502 })
  },
)
