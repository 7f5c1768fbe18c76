import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createUtf8Check } from './utf8-check.ts'

const check = (bytes: Buffer, size: number): boolean => {
  const utf8 = createUtf8Check()
  for (let at = 0; at < bytes.length; at += size) utf8.take(bytes.subarray(at, at + size))
  return utf8.isRight({ isWhole: true })
}

test('valid text is UTF-8, however it is split', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 7 }), (text, size) => {
      expect(check(Buffer.from(text.toWellFormed()), size)).toBe(true)
    }),
  )
})

test('text is UTF-8 so far while its last character is incomplete', () => {
  const bytes = Buffer.from('a€')
  const utf8 = createUtf8Check()
  utf8.take(bytes.subarray(0, 3))
  expect(['so far', 'whole'].map(what => utf8.isRight({ isWhole: what === 'whole' }))).toEqual([true, false])
  utf8.take(bytes.subarray(3))
  expect(utf8.isRight({ isWhole: true })).toBe(true)
  utf8.take(Buffer.of(0xff, 0x61))
  expect(utf8.isRight({ isWhole: false })).toBe(false)
})

test('other bytes are not UTF-8, however they are split', () => {
  for (const bytes of [
    [0xe9],
    [0x61, 0xff, 0x62],
    [0x80],
    [0xc3],
    [0xe2, 0x82],
    [0xf0, 0x9f, 0x98],
    [0xed, 0xa0, 0x80],
  ])
    for (const size of [1, 2, 3, 10]) expect(check(Buffer.from([0x61, ...bytes]), size)).toBe(false)
})
