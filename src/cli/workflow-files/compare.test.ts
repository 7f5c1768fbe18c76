import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compare } from './compare.ts'

const changes = (before: unknown, after: unknown, filled: readonly string[] = []) =>
  compare({ before, after, filled: new Set(filled) }).map(({ field, before, after }) => [field, before, after])

test('changed, new and removed values are shown by field', () => {
  const before = { name: 'a', payload: [{ command: 'x' }, { command: 'y' }], schedule: { crons: ['0 9 * * *'] } }
  const after = { name: 'a', payload: [{ command: 'z' }], sinks: [], environment: { A: '1' } }
  expect(changes(before, after)).toEqual([
    ['payload.0.command', '"x"', '"z"'],
    ['sinks', null, '[]'],
    ['environment.A', null, '"1"'],
    ['payload.1.command', '"y"', null],
    ['schedule.crons.0', '"0 9 * * *"', null],
  ])
})

test('null equals an absent field, and the order of names does not matter', () => {
  expect(changes({ a: 1, b: null, c: { d: 2, e: 3 } }, { c: { e: 3, d: 2, f: null }, a: 1 })).toEqual([])
})

test('no secret is shown, whatever makes it one', () => {
  const after = {
    environment: { API_TOKEN: 'hide-1', PLAIN: 'hide-2', LISTED: 'hide-3', SHOWN: 'show-1' },
    payload: [{ command: 'x', secrets: ['LISTED'], http: { headers: { Cookie: 'hide-4' } } }],
    sinks: [{ secret: 'hide-5', secret_access_key: 'hide-6', headers: { authorization: 'hide-7', 'x.key': 'hide-8' } }],
  }
  const text = JSON.stringify(changes({}, after, ['environment.PLAIN']))
  expect(text).not.toContain('hide')
  expect(text).toContain('show-1')
  expect(JSON.stringify(changes(after, {}))).not.toMatch(/hide-[^2]/)
})

test('a secret that the server holds shows no change, unless it is removed', () => {
  expect(changes({ environment: { API_TOKEN: '***' } }, { environment: { API_TOKEN: 'new' } })).toEqual([])
  expect(changes({ environment: { API_TOKEN: '***' } }, {})).toEqual([['environment.API_TOKEN', '***', null]])
})

test('a definition equals itself and differs from every other', () => {
  const value = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }))
  const definition = fc.dictionary(
    fc.stringMatching(/^[a-c]$/),
    fc.oneof(value, fc.dictionary(fc.constantFrom('d', 'e'), value, { noNullPrototype: true })),
  )
  fc.assert(
    fc.property(definition, definition, (one, other) => {
      expect(changes(one, JSON.parse(JSON.stringify(one)))).toEqual([])
      expect(changes(one, other).length === 0).toBe(isDeepStrictEqual({ ...one }, { ...other }))
    }),
  )
})
