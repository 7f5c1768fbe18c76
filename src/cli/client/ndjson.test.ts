import fc from 'fast-check'
import { expect, test } from 'vitest'
import { growthOf } from '../../../test/growth.ts'
import { readNdjson } from './ndjson.ts'

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('values come out whole and in order, however the bytes are split', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary' })), fc.integer({ min: 1, max: 50 }), async (texts, size) => {
      const bytes = Buffer.from(texts.map(text => `${JSON.stringify({ text })}\n`).join(''))
      const values = await Array.fromAsync(readNdjson<{ text: string }>(pieces(bytes, size)))
      expect(values.flat().map(value => value.text)).toEqual(texts)
    }),
  )
})

test('a last line without a newline counts, and U+2028 in a string does not end the line', async () => {
  const bytes = Buffer.from('{"a":"x\u2028y"}\n{"a":"z"}')
  const values = await Array.fromAsync(readNdjson(pieces(bytes, 5)))
  expect(values.flat()).toEqual([{ a: 'x\u2028y' }, { a: 'z' }])
})

test('a line that comes in many pieces takes time in proportion to its length', async () => {
  const growth = await growthOf({
    size: 1000,
    make: pieceCount => Buffer.from(`{"a":"${'x'.repeat(pieceCount * 1024)}"}\n`),
    work: bytes => Array.fromAsync(readNdjson(pieces(bytes, 1024))),
  })
  expect(growth).toBeLessThan(3)
})
