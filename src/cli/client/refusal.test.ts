import { expect, test } from 'vitest'
import { refusalOf } from './refusal.ts'

test('a problem is one line with its code, the other wrong fields below it', () => {
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
  // Where to look for the fields, which are here.
  expect(failure).toMatchObject({ code: 'invalid', status: 422, hint: undefined, exitCode: 125 })
})

test('what can be done about it is told', () => {
  const failure = refusalOf(
    409,
    JSON.stringify({ code: 'workflow_paused', detail: 'It is paused.', hint: 'Resume it.' }),
  )
  expect(failure).toMatchObject({ message: 'It is paused. (workflow_paused)', hint: 'Resume it.' })
})

test.each(['<html>Bad gateway</html>', '', 'null', '"text"'])(
  'an answer that is no problem (%j) is told by status',
  body => {
    expect(refusalOf(502, body)).toMatchObject({ message: 'the server answered 502 (status 502)', status: 502 })
  },
)
