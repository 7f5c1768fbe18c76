import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readKeyedTexts } from './row-binary.ts'

const KEY_BYTES = 3

const lengthOf = (value: number): Buffer =>
  value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of((value & 127) | 128), lengthOf(value >> 7)])

async function* inPieces(content: Buffer, size: number) {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

test('rows are read correctly wherever the response is split', async () => {
  const row = fc.tuple(
    fc.uint8Array({ minLength: KEY_BYTES, maxLength: KEY_BYTES }),
    fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(new Uint8Array(300))),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(row), fc.integer({ min: 1, max: 400 }), async (rows, size) => {
      const content = Buffer.concat(rows.flatMap(([key, text]) => [key, lengthOf(text.length), text]))
      const read: string[][] = []
      for await (const { key, text } of readKeyedTexts(inPieces(content, size), KEY_BYTES))
        read.push([key.toString('hex'), text.toString('hex')])
      expect(read).toEqual(rows.map(row => row.map(bytes => Buffer.from(bytes).toString('hex'))))
    }),
  )
})

test('a response that ends within a row is an error', async () => {
  const cut = Buffer.concat([Buffer.alloc(KEY_BYTES), lengthOf(5), Buffer.alloc(4)])
  await expect(Array.fromAsync(readKeyedTexts(inPieces(cut, 100), KEY_BYTES))).rejects.toThrow(/middle of one/)
})
