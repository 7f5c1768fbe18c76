import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { guessDelimiter } from './guess-delimiter.ts'

const guess = (text: string, columns?: readonly string[]): string => {
  const target = columns && { columns: columns.map(name => ({ name, type: 'String', jsonPath: null })) }
  return guessDelimiter(Buffer.from(text), '"', target ?? null)
}

test.each([
  [';', 'name;price\nlamp;1,5\nchair;20\n'],
  [';', 'name;price\r\nlamp;1,5\r\nchair;2,5'],
  [';', 'name;price\rlamp;1,5\rchair;2,5'],
  [';', 'lamp;1,5\nchair;20\n'],
  [';', '"name";"price"\n"lamp, small";"1,5"\n'],
  [';', 'a;b;c\n'],
  [';', `a;b\n${'1,5;2\n'.repeat(50)}one;line;too wide\n`],
  [';', 'day;price\n31.12.2025;1,5\n01.01.2026;20\nx\n'],
  [',', 'day;price\n31.12.2025;1,5\nx\n'],
  ['\t', 'name\tprice\nlamp\t1,5\n'],
  ['|', 'a|b|c\n1|2|3\n'],
  [';', 'lamp;1,5\nchair;2,5\n'],
  [';', '1.234,50;-3,5 %\n20.000,00;49,6 %\n'],
  ['\t', 'lamp\t1,5\nchair\t2,5\n'],
  [',', 'lamp;1,5 m\nchair;2,5 m\n'],
  [',', 'name,note\nlamp,a; b\nchair,c; d\n'],
  [',', 'a;b,c\n1;2,3\n'],
  [',', 'note\nhello; world\nwell; then\n'],
  [',', 'hello; world\nplain\nwell; then; so\n'],
  [',', 'one\ntwo\n'],
  [',', 'SELECT 1;\nSELECT 2;\n'],
  [',', 'a title; of the file\na,b\n1,2\n3,4\n'],
  [',', 'a title; of the file\n"a","b"\n"1","2"\n"3","4"\n'],
  [';', `a;b\n"1"x;2\n${'"1";"2"\n'.repeat(5)}`],
  [',', ''],
])('the delimiter is %j in %j', (delimiter, text) => {
  expect(guess(text)).toBe(delimiter)
})

describe('with the columns of a data source', () => {
  test('a single column takes lines with other delimiters as its values', () => {
    expect(guess('2026-11-01;INFO;up\n2026-11-02;INFO;down\n', ['line'])).toBe(',')
    expect(guess('SELECT 1;\nSELECT 2; -- two\n', ['line'])).toBe(',')
  })

  test('the delimiter is the one that makes its columns, or whose header names one', () => {
    expect(guess('1;2\n3;4\n', ['a', 'b'])).toBe(';')
    expect(guess('1;2\n3;4\n', ['a', 'b', 'c'])).toBe(',')
    expect(guess('1;2;\n3;4;\n', ['a', 'b'])).toBe(';')
    expect(guess('b;c\n3;4\n', ['a', 'b', 'c'])).toBe(';')
    expect(guess('12:00:00,123|INFO|up\n12:00:01,456|INFO|down\n', ['time', 'level', 'text'])).toBe('|')
    expect(guess('1,5;2,5\n3,5;4,5\n', ['a', 'b'])).toBe(';')
    expect(guess('lamp;1,5\nchair;2,5\n', ['a', 'b'])).toBe(';')
  })

  test('a header with commas wins over other delimiters', () => {
    expect(guess('a;x\n1;1\n', ['a;x', 'b'])).toBe(',')
  })
})

test('commas that make the right columns win, whatever is in their text', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '1', ';', '|', '\t', ',', '"', '\n', ' '), maxLength: 8 })
  const table = fc
    .integer({ min: 2, max: 4 })
    .chain(width => fc.array(fc.array(text, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 12 }))
  fc.assert(
    fc.property(table, fc.boolean(), fc.boolean(), (rows, isPlain, isThere) => {
      const write = (value: string) => (isPlain && !/[",\n]/.test(value) ? value : `"${value.replaceAll('"', '""')}"`)
      const content = rows.map(row => `${row.map(write).join(',')}\n`).join('')
      // If all are between digits, they may be decimal commas.
      fc.pre(/(^|\D),|,(\D|$)/m.test(content))
      const columns = rows[0]!.map((_, index) => `column ${index}`)
      expect(guess(content, isThere ? columns : undefined)).toBe(',')
    }),
    { numRuns: 2000 },
  )
})

test('the beginning of long content is enough', () => {
  expect(guess(`name;price\n${'lamp;1,5\n'.repeat(100_000)}`)).toBe(';')
})
