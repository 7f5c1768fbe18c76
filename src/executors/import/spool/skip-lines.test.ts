import fc from 'fast-check'
import { expect, test } from 'vitest'
import { skipLines } from './skip-lines.ts'

const skipped = async (parts: readonly string[], count: number): Promise<string> => {
  async function* content() {
    for (const part of parts) yield Buffer.from(part)
  }
  const left: Buffer[] = []
  for await (const part of skipLines(content(), count)) left.push(Buffer.from(part))
  return Buffer.concat(left).toString()
}

test.each([
  [['title\n\na,b\n1,2\n'], 2, 'a,b\n1,2\n'],
  [['title\r\nby me\r\na\r\n'], 2, 'a\r\n'],
  [['title\rby me\ra\r'], 2, 'a\r'],
  [['ti', 'tle\r', '\na\n'], 1, 'a\n'],
  [['title\r', 'a\n'], 1, 'a\n'],
  [['"quoted\n', 'a'], 1, 'a'],
  [['one\ntwo'], 5, ''],
  [['one\ntwo'], 0, 'one\ntwo'],
  [[], 3, ''],
])('%j without %i lines is %j', async (parts, count, left) => {
  expect(await skipped(parts, count)).toBe(left)
})

test('the result does not depend on how content is split into chunks', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('\r', '\n', 'a'), minLength: 1, maxLength: 4 }), { maxLength: 8 }),
      fc.nat(6),
      async (parts, count) => {
        const lines = parts.join('').match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? []
        expect(await skipped(parts, count)).toBe(lines.slice(count).join(''))
      },
    ),
  ))
