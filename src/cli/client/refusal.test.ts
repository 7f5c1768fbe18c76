import { expect, test } from 'vitest'
import { refusalOf } from './refusal.ts'

test('a problem is one line with its code, with further wrong fields below it', () => {
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
  // The hint tells where to look for the fields, which are already here.
  expect(failure).toMatchObject({ code: 'invalid', status: 422, hint: undefined, exitCode: 125 })
})

test('a single fault of the whole body is shown once', () => {
  const errors = [{ path: '', message: 'must have a kind' }]
  const failure = refusalOf(422, JSON.stringify({ code: 'invalid', detail: 'The body must have a kind', errors }))
  expect(failure.message).toBe('The body must have a kind (invalid)')
})

test('the hint names commands instead of API calls', () => {
  const ended = refusalOf(409, JSON.stringify({ code: 'job_ended', detail: 'It has ended.', hint: 'Rerun it.' }))
  expect(ended).toMatchObject({ message: 'It has ended. (job_ended)', hint: 'Rerun it.' })
  const paused = refusalOf(409, JSON.stringify({ code: 'workflow_paused', hint: 'POST /v1/workflows/{id}/resume' }))
  expect(paused.hint).toBe('Resume it first (millrace workflows resume NAME).')
})

test.each(['<html>Bad gateway</html>', '', 'null', '"text"'])(
  'an answer that is not a problem (%j) is reported by its status',
  body => {
    expect(refusalOf(502, body)).toMatchObject({ message: 'the server answered 502 (status 502)', status: 502 })
  },
)
