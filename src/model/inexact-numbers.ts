import type { FieldError } from '../kernel/errors.ts'

/** A number outside strings that may be inexact: 16 digits, or a three-digit exponent. This test costs almost nothing. */
const SUSPECT = /[:[,]\s*-?\d(?:\d{15}|[\d.]*[eE]\+?\d{3})/

const MOST_TOLD = 20

/**
 * Numbers in the lists and objects of a JSON text that no double can hold, so that JSON.parse silently alters them: integers (12345678901234567890 becomes
 * 12345678901234567000) and infinite values (1e400 becomes null). Rounding after the decimal point is accepted. Returns them by path. `text` must be valid
 * JSON.
 */
export const findInexactNumbers = (text: string): readonly FieldError[] => {
  if (!SUSPECT.test(text)) return []
  const found: FieldError[] = []
  const open: Place[] = []
  let name = ''
  for (let at = 0; at < text.length && found.length < MOST_TOLD; at++) {
    const code = text.charCodeAt(at)
    const place = open.at(-1)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      if (place?.isList === false) name = text.slice(at, end + 1)
      at = end
    } else if (code === COLON) place!.name = name
    else if (code === COMMA) place!.index++
    else if (code === LIST || code === OBJECT) open.push({ isList: code === LIST, index: 0, name: '' })
    else if (code === END_OF_LIST || code === END_OF_OBJECT) open.pop()
    else if (code === MINUS || isDigit(code)) {
      const number = text.slice(at, endOfNumber(text, at))
      const message = mayBeAltered(number) ? inexactNumber(number, Number(number)) : null
      if (message !== null) found.push({ path: open.map(keyIn).join('.'), message })
      at += number.length - 1
    }
  }
  return found
}

/** A position in the text. A parser that reports the source text of each value takes twenty times as long. */
type Place = {
  readonly isList: boolean
  /** In a list: the index of the entry. */
  index: number
  /** In an object: the name of the field, in quotes. */
  name: string
}

const [QUOTE, BACKSLASH, COLON, COMMA, MINUS] = [0x22, 0x5c, 0x3a, 0x2c, 0x2d]
const [LIST, OBJECT, END_OF_LIST, END_OF_OBJECT] = [0x5b, 0x7b, 0x5d, 0x7d]

const keyIn = ({ isList, index, name }: Place): string => (isList ? String(index) : JSON.parse(name))

const endOfString = (text: string, start: number): number => {
  let end = start + 1
  while (end < text.length && text.charCodeAt(end) !== QUOTE) end += text.charCodeAt(end) === BACKSLASH ? 2 : 1
  return end
}

const endOfNumber = (text: string, start: number): number => {
  let end = start + 1
  while (end < text.length && isInNumber(text.charCodeAt(end))) end++
  return end
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

/** A digit, or one of `+ - . E e`. */
const isInNumber = (code: number): boolean =>
  isDigit(code) || code === 0x2b || code === MINUS || code === 0x2e || code === 0x45 || code === 0x65

/** All integers of up to fifteen digits are exact. */
const mayBeAltered = (number: string): boolean => number.length > 15 || /e/i.test(number)

/** What is wrong with a number as it was written; null: nothing. */
export const inexactNumber = (text: string, value: number): string | null =>
  isAltered(text, value)
    ? `must be a number that a double holds, and ${shortened(text)} is none: send it as a text`
    : null

/** In JSON or YAML notation. */
const INTEGER = /^(?:[-+]?\d+|0x[\da-fA-F]+|0o[0-7]+)$/

const isAltered = (text: string, value: number): boolean => {
  if (!Number.isFinite(value)) return true
  if (Number.isSafeInteger(value) || !INTEGER.test(text)) return false
  // JavaScript's own notation of the double converts back to the same value.
  return String(value) !== text && BigInt(text) !== BigInt(value)
}

const SHOWN = 40

const shortened = (text: string): string => (text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`)
