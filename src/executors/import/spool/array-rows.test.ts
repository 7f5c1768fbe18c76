import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrayRows } from './array-rows.ts'

async function* parts(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The text that is read from a text which arrives in parts of so many bytes. */
const read = async (text: string, size = 7): Promise<string> => {
  const read: Buffer[] = []
  for await (const part of arrayRows(parts(Buffer.from(text), size))) read.push(Buffer.from(part))
  return Buffer.concat(read).toString()
}

/** The lines of a text without those that are blank. */
const rows = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')

test.each([
  ['[]', []],
  ['[ ]\n', []],
  ['[{"a":1},{"a":2}]', ['{"a":1}', '{"a":2}']],
  ['\ufeff \r\n[\r\n  {\r\n    "a": 1\r\n  },\r\n  {"a": 2}\r\n]\r\n', ['{      "a": 1    }', '{"a": 2}']],
  ['[{"a":"],[{\\"}\\\\"},{"b":[1,[2,3]],"c":{"d":{}}}]', ['{"a":"],[{\\"}\\\\"}', '{"b":[1,[2,3]],"c":{"d":{}}}']],
  ['[1,"a,b",null,[2,3]]', ['1', '"a,b"', 'null', '[2,3]']],
  ['[{"a":1}]\n[{"a":2}]\n{"a":3}\n', ['{"a":1}', '{"a":2}', '{"a":3}']],
  ['[{"a":1}},{"a":2}]', ['{"a":1}}', '{"a":2}']],
])('%j has an element a line', async (text, lines) => {
  for (const size of [1, 2, 5, 1000])
    expect(rows((await read(text, size)).replace('\ufeff', '').replaceAll('\r', ''))).toEqual(lines)
})

test('any array has its elements as lines, written in one line or many', async () => {
  const elements = fc.array(fc.jsonValue())
  await fc.assert(
    fc.asyncProperty(
      elements,
      fc.constantFrom(undefined, 2, '\t'),
      fc.integer({ min: 1, max: 50 }),
      async (array, indent, size) => {
        const lines = rows(await read(JSON.stringify(array, null, indent), size))
        expect(lines.map(line => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(array)))
      },
    ),
  )
})

test.each(['', ' \n', '{"a":[1]},\n{"a":2}\n', '{\n"a": [\n1]}\n', 'x[1]', '"[1]"'])(
  '%j stays as it is',
  async text => {
    expect(await read(text, 3)).toBe(text)
  },
)

describe('an array without an end is refused', () => {
  test.each(['[', '[{"a":1}', '[{"a":1},', '[{"a":1},{"a":"2}]', '[{"a":1},{"a":{]', '[{"a":1}]\n[{"a":2}'])(
    '%j',
    async text => {
      await expect(read(text)).rejects.toMatchObject({ reason: 'content_unreadable', message: /no end/ })
    },
  )
})
