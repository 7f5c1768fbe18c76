import { expect, test } from 'vitest'
import { printedText } from './printed-text.ts'

const ofLatin = (text: string) => printedText(Buffer.from(text, 'latin1'))

test('valid text is unchanged', () => {
  expect(printedText(Buffer.from("SELECT 'Grüße 🚂\u2028', `ü`"))).toBe("SELECT 'Grüße 🚂\u2028', `ü`")
})

test('bytes of a string that are not UTF-8 are written as escapes, and characters beside them are kept', () => {
  expect(ofLatin("SELECT '\xff\xfe', 'a\xc3\xa9\xf0\x9f\x9a\x82\xf0\x9f'")).toBe(
    "SELECT '\\xFF\\xFE', 'aé🚂\\xF0\\x9F'",
  )
  // A surrogate, an overlong slash, and the start of a character at the end.
  expect(ofLatin("SELECT '\xed\xa0\x80\xc0\xaf', '\xe2\x82'")).toBe("SELECT '\\xED\\xA0\\x80\\xC0\\xAF', '\\xE2\\x82'")
  expect(ofLatin("SELECT '\\\\\xff', 1 AS `a\\\\x`")).toBe("SELECT '\\\\\\xFF', 1 AS `a\\\\x`")
})

test('a name with such bytes is refused', () => {
  expect(ofLatin('SELECT 1 AS `\xff`')).toBeNull()
  expect(ofLatin("SELECT '\xff' AS `a\\\\\xff`")).toBeNull()
})
