import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from './cursor.ts'

const scope = { workspace: 'default', filters: { name: 'a', status: ['failed'] as const } }

test('a cursor returns its position for the same list', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), seq => {
      expect(decodeCursor(scope, encodeCursor(scope, seq))).toBe(seq)
    }),
  )
})

test('the order of filters does not matter, their values do', () => {
  const cursor = encodeCursor(scope, 5)
  expect(decodeCursor({ workspace: 'default', filters: { status: ['failed'], name: 'a' } }, cursor)).toBe(5)
  for (const other of [
    { ...scope, workspace: 'other' },
    { ...scope, filters: { name: 'a' } },
    { ...scope, filters: { name: 'b', status: ['failed'] as const } },
  ])
    expect(() => decodeCursor(other, cursor)).toThrow(expect.objectContaining({ code: 'invalid_cursor' }))
})

test('no other text is a cursor', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary', maxLength: 30 })), text => {
      expect(() => decodeCursor(scope, text)).toThrow(expect.objectContaining({ code: 'invalid_cursor' }))
    }),
  )
})
