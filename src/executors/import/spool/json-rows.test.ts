import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonRows } from './json-rows.ts'

async function* parts(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The text that is read from a text which arrives in parts of so many bytes. */
const read = async (text: string, size = 7): Promise<string> => {
  const read: Buffer[] = []
  for await (const part of jsonRows(parts(Buffer.from(text), size))) read.push(Buffer.from(part))
  return Buffer.concat(read).toString()
}

/** The lines of a text without those that are blank. */
const rows = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')

/** The text has these lines, however it arrives. */
const expectRows = async (text: string, lines: readonly string[]): Promise<void> => {
  for (const size of [1, 2, 5, 1000]) {
    const found = rows((await read(text, size)).replace('\ufeff', '').replaceAll('\r', ''))
    expect(found.map(line => line.replaceAll(/ +/g, ' '))).toEqual(lines)
  }
}

test.each([
  ['[]', []],
  ['[ ]\n', []],
  ['[{"a":1},{"a":2}]', ['{"a":1}', '{"a":2}']],
  ['\ufeff \r\n[\r\n  {\r\n    "a": 1\r\n  },\r\n  {"a": 2}\r\n]\r\n', ['{ "a": 1 }', '{"a": 2}']],
  ['[{"a":"],[{\\"}\\\\"},{"b":[1,[2,3]],"c":{"d":{}}}]', ['{"a":"],[{\\"}\\\\"}', '{"b":[1,[2,3]],"c":{"d":{}}}']],
  ['[1,"a,b",null,[2,3]]', ['1', '"a,b"', 'null', '[2,3]']],
  ['[{"a":1}]\n[{"a":2}]\n{"a":3}\n', ['{"a":1}', '{"a":2}', '{"a":3}']],
  ['[{"a":1}},{"a":2}]', ['{"a":1}}', '{"a":2}']],
])('of an array, %j, each element is a line', expectRows)

test.each([
  ['{\n"a": 1\n}', ['{ "a": 1 }']],
  ['\ufeff\r\n{ \r\n\t"a": 1\r\n}\r\n{\r\n\t"a": "}\\"{"\r\n}\r\n', ['{ \t"a": 1 }', '{ \t"a": "}\\"{" }']],
  ['{\n"a": [\n1,\n{\n}\n]\n}\n{\n}\n', ['{ "a": [ 1, { } ] }', '{ }']],
  ['{\n}{\n"a":1} {"a":2}\t[{\n"a":3}]{"a":4}', ['{ }', '{ "a":1}', '{"a":2}', '{ "a":3}', '{"a":4}']],
  ['{\n"a":1\n},\n{\n"a":2\n},{"a":3}', ['{ "a":1 },', '{ "a":2 },', '{"a":3}']],
  ['{\n"a":1\n}\nnonsense\n{"a":2}\n', ['{ "a":1 }', 'nonsense', '{"a":2}']],
  ['{\r"a":1\r}\r{\r"a":2\r}\r', ['{ "a":1 }', '{ "a":2 }']],
])('of objects over several lines, %j, each is a line', expectRows)

const META = '"meta": [{"name": "a", "type": "Int8"}, {"name": "], \\"data\\": [{", "type": "String"}]'
const END = '"rows": 2, "totals": {"a": [3]}, "statistics": {"elapsed": 0.1}'

test.each([
  [`{${META}, "data": [{"a": 1}, {"a": [2]}], ${END}}`, ['{"a": 1}', '{"a": [2]}']],
  [`\ufeff {\n${META},\n\n"data":\n[\n{\n"a": 1\n},\n{\n"a": 2\n}\n],\n\n${END}\n}\n`, ['{ "a": 1 }', '{ "a": 2 }']],
  [`{"meta":[],"data":[]}`, []],
])('of a query result, %j, each row is a line', expectRows)

test('a query result may have more columns than are looked at otherwise', async () => {
  const meta = Array.from({ length: 5000 }, (_, at) => ({ name: `column ${at}`, type: 'String' }))
  await expectRows(JSON.stringify({ meta, data: [{ a: 1 }], rows: 1 }), ['{"a":1}'])
})

const values = { any: fc.array(fc.jsonValue()), objects: fc.array(fc.dictionary(fc.string(), fc.jsonValue())) }
const indents = fc.constantFrom(undefined, 2, '\t')
const sizes = fc.integer({ min: 1, max: 50 })
const parsed = (text: string): unknown => rows(text).map(line => JSON.parse(line))
/** As JSON has it: -0 is 0. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('any array has its elements as lines, written in one line or many', async () => {
  await fc.assert(
    fc.asyncProperty(values.any, indents, sizes, async (array, indent, size) => {
      expect(parsed(await read(JSON.stringify(array, null, indent), size))).toEqual(plain(array))
    }),
  )
})

test('any objects over several lines become one line each, whatever white space is between them', async () => {
  const between = fc.constantFrom('', '\n', '\r\n', ' ', '\n\n')
  await fc.assert(
    fc.asyncProperty(values.objects, between, indents, sizes, async (objects, space, indent, size) => {
      const all = [{ '': null }, ...objects]
      const text = all.map((object, at) => JSON.stringify(object, null, at === 0 ? 1 : indent)).join(space)
      expect(parsed(await read(text, size))).toEqual(plain(all))
    }),
  )
})

test('any query result has its rows as lines', async () => {
  await fc.assert(
    fc.asyncProperty(values.objects, values.any, indents, sizes, async (data, totals, indent, size) => {
      const result = { meta: [{ name: 'a', type: 'b' }], data, totals, rows: data.length }
      expect(parsed(await read(JSON.stringify(result, null, indent), size))).toEqual(plain(data))
    }),
  )
})

test.each([
  '',
  ' \n',
  '{"a":[1]},\n{"a":2}\n',
  '{}\n{\n}\n',
  '{"a":\n{"a":2}\n',
  'x[1]',
  '"[1]"',
  '{"meta":[1],"data":[{"a":1}]}\n',
  '{"meta":[{"name":"a","type":"b"}],"data":[[1]]}\n',
  '{"meta":[{"name":"a","type":"b"}],"more":1,"data":[{"a":1}]}\n',
  '{"data":[{"a":1}]}\n',
])('%j stays as it is', async text => {
  expect(await read(text, 3)).toBe(text)
})

describe('what has no end is refused', () => {
  test.each([
    '[',
    '[{"a":1}',
    '[{"a":1},',
    '[{"a":1},{"a":"2}]',
    '[{"a":1},{"a":{]',
    '[{"a":1}]\n[{"a":2}',
    '[{"a":1}]\n{"a":2',
    '{',
    '{\n"a":1',
    '{\n"a":1\n}\n{',
    '{\n"a":"1\n}\n',
    '{"meta":[],"data":[',
    '{"meta":[],"data":[{"a":1}',
    '{"meta":[],"data":[{"a":1}]',
    '{"meta":[],"data":[{"a":1}],"rows":1',
  ])('%j', async text => {
    await expect(read(text)).rejects.toMatchObject({ reason: 'content_unreadable', message: /no end/ })
  })
})

test.each([
  ['{"meta":[],"data":[{"a":1}],"exception":"Code: 395"}', /failed: Code: 395/],
  ['{"meta":[],"data":[{"a":1}]}\n{"meta":[],"data":[{"a":1}]}', /must be one result/],
  [`{"meta":[],"data":[{"a":1}]}${' '.repeat(3 * 2 ** 20)}x`, /must be one result/],
])('of a query that failed, and beside something else, a result is refused', async (text, message) => {
  await expect(read(text, 2 ** 20)).rejects.toMatchObject({ reason: 'content_unreadable', message })
})

test('a first object that is too long for a row is refused before the rest is read, a later one is not', async () => {
  const row = `"${'x'.repeat(2 ** 20)}",\n`.repeat(20)
  await expect(read(`{\n"data":[\n${row}`, 2 ** 20)).rejects.toMatchObject({ message: /more than 16 MiB.*jq/ })
  const text = `{\n}\n{"data":[\n${row}1]}\n`
  expect(rows(await read(text, 2 ** 20))).toHaveLength(2)
})
