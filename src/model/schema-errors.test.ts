import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { toFieldErrors } from './schema-errors.ts'

const validator = Compile(
  Type.Object(
    {
      name: Type.String({ maxLength: 3 }),
      retry: Type.Optional(Type.Object({ tries: Type.Number() }, { additionalProperties: false })),
    },
    { additionalProperties: false },
  ),
)
const faults = (value: unknown, prefix = '') => toFieldErrors(validator.Errors(value), prefix)

test('each wrong field is named once, by its path from the root', () => {
  expect(faults({ name: 'long', retry: { tries: 'x' }, more: 1 }, 'jobs.3')).toEqual(
    expect.arrayContaining([
      { path: 'jobs.3.more', message: 'is not a known field' },
      { path: 'jobs.3.name', message: expect.stringContaining('3') },
      { path: 'jobs.3.retry.tries', message: expect.stringContaining('number') },
    ]),
  )
  expect(faults({ name: 'long', retry: { tries: 'x' }, more: 1 })).toHaveLength(3)
})

test('a field that is missing is named', () => {
  expect(faults({})).toEqual([{ path: 'name', message: 'is required' }])
})

test('any number of unknown fields is wrong', () => {
  for (const count of [1, 8, 9, 1000]) {
    const unknown = Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1]))
    expect(faults({ name: 'a', retry: { tries: 1, ...unknown } })).not.toEqual([])
  }
})
