import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { MAX_BAD_ROWS } from './patterns.ts'
import { boundedErrors, toFieldErrors } from './schema-errors.ts'

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

test('for an unknown field a similar one is named, even within a union', () => {
  const forms = Compile(
    Type.Object(
      {
        time_zone: Type.Optional(Type.String()),
        inner: Type.Optional(
          Type.Union([Type.Object({ every: Type.String() }, { additionalProperties: false }), Type.String()]),
        ),
      },
      { additionalProperties: false },
    ),
  )
  const told = (value: unknown) => toFieldErrors(boundedErrors(forms, value), '')
  expect(told({ timezone: 'x' })).toEqual([
    { path: 'timezone', message: 'is not a known field; did you mean time_zone?' },
  ])
  expect(told({ inner: { every: 'x', evry: 'y' } })).toContainEqual({
    path: 'inner.evry',
    message: 'is not a known field; did you mean every?',
  })
})

test('a missing field is named', () => {
  expect(faults({})).toEqual([{ path: 'name', message: 'is required' }])
})

test('empty and malformed values are explained in words', () => {
  const texts = Compile(
    Type.Object({
      one: Type.String({ minLength: 1 }),
      three: Type.String({ minLength: 3 }),
      rows: Type.Union([Type.Integer(), Type.String({ pattern: MAX_BAD_ROWS })]),
    }),
  )
  expect(toFieldErrors(texts.Errors({ one: '', three: '', rows: 'many' }), '')).toEqual([
    { path: 'one', message: 'must not be empty' },
    { path: 'three', message: 'must have at least 3 characters' },
    { path: 'rows', message: 'must be an integer, or must be a count (100) or a share (5%)' },
  ])
})

test('a value outside a list is refused with the list', () => {
  const choice = (...names: string[]) => Type.Optional(Type.Unsafe<string>({ enum: names }))
  const choices = Compile(
    Type.Object({
      overlap: choice('skip', 'allow', 'queue_one'),
      mode: choice('append', 'replace'),
      type: choice('s3'),
    }),
  )
  expect(toFieldErrors(choices.Errors({ overlap: 'no', mode: 'upsert', type: '' }), '')).toEqual([
    { path: 'overlap', message: 'must be one of skip, allow, queue_one' },
    { path: 'mode', message: 'must be append or replace' },
    { path: 'type', message: 'must be s3' },
  ])
})

test('any number of unknown fields is reported', () => {
  for (const count of [1, 8, 9, 1000]) {
    const unknown = Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1]))
    expect(faults({ name: 'a', retry: { tries: 1, ...unknown } })).not.toEqual([])
  }
})

const list = Compile(
  Type.Object({ list: Type.Array(Type.Union([Type.Integer(), Type.Boolean()]), { maxItems: 100_000 }) }),
)
const told = (value: unknown) => toFieldErrors(boundedErrors(list, value), '')

test('a fault at the start of a long list is reported without checking all of it', () => {
  let looked = 0
  const counting = {
    Errors: (value: unknown) => {
      looked += (value as { list: unknown[] }).list.length
      return list.Errors(value)
    },
    Type: () => list.Type(),
  }
  const value = { list: ['x', ...Array(3_000_000).fill(1)] }
  expect(toFieldErrors(boundedErrors(counting, value), '').map(({ path }) => path)).toContain('list.0')
  expect(looked).toBeLessThan(2000)
})

test('a fault far into a list is reported, up to the maximum length', () => {
  const value = Array(60_000).fill(1)
  expect(told({ list: [...value, 'x'] }).map(({ path }) => path)).toContain('list.60000')
  expect(told({ list: [...value, ...value, ...value, 'x'] })).toEqual([
    { path: '', message: 'is wrong somewhere far behind in a long list' },
  ])
})

test('a required field is found behind a long list', () => {
  const both = Compile(Type.Object({ list: Type.Array(Type.Integer()), name: Type.String() }))
  const value = { list: Array(500_000).fill('x'), name: 'there' }
  expect(toFieldErrors(boundedErrors(both, value), '').map(({ path }) => path)).not.toContain('name')
})
