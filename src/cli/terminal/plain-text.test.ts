import { expect, test } from 'vitest'
import { oneLine, plainLines } from './plain-text.ts'

test.each([
  ['a colour', '\u001b[31ma'],
  ['the title of the window', '\u001b]0;other\u0007a'],
  ['the clipboard', '\u001b]52;c;ZXZpbA==\u001b\\a'],
  ['a link', '\u001b]8;;http://example.com\u001b\\a'],
  ['a colour in 8 bits', '\u009b31ma'],
  ['a command that has no end', 'a\u001b]0;other'],
  ['a device control string', '\u001bP$q\u001b\\a'],
  ['the beginning of a command alone', 'a\u001b'],
  ['all that was written before', 'a\r\u0008\u0008'],
])('text cannot set %s', (_, text) => {
  for (const plain of [oneLine(text), plainLines(text)]) {
    expect(plain).toContain('a')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
    expect(plain).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  }
})

test('line breaks are kept only in multi-line text', () => {
  expect(oneLine('one\ntwo\tthree')).toBe('one two three')
  expect(plainLines('one\r\ntwo\n')).toBe('one\ntwo\n')
})
