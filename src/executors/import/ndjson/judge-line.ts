import { illFormedTexts } from '../../../model/ill-formed.ts'

/** More than the engine's own JSON check reaches, less than its reader does (`input_format_json_max_depth`). */
const DEEPEST = 1500

/** What a line of NDJSON is: `right` (an object), `blank`, or what is wrong with it. */
export const judgeLine = (line: string): string => {
  const text = trimmed(line)
  if (text === '') return 'blank'
  let value: unknown
  try {
    value = JSON.parse(withoutComma(text))
  } catch {
    return 'is not JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not a JSON object'
  const { keys, depth } = measure(text)
  // It is unclear which of the two is meant. Engines take one or the other, or none.
  if (keys > Object.keys(value).length) return 'has a key twice'
  return depth > DEEPEST ? `is nested deeper than ${DEEPEST} levels` : 'right'
}

/** Whether no text of a right line has half a surrogate pair. */
export const isUnicode = (line: string): boolean =>
  !/\\u[dD][c-fC-F]/.test(line) || illFormedTexts(JSON.parse(withoutComma(line)), '').length === 0

/** A list that was cut into lines has a comma after each. */
export const withoutComma = (line: string): string => {
  const text = trimmed(line)
  return text.endsWith(',') ? text.slice(0, -1) : text
}

/** Trims JSON's white space, which is less than Unicode's. */
const trimmed = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Counts an object's own keys, including duplicates, and its depth. The text must be valid JSON. */
const measure = (text: string): { readonly keys: number; readonly depth: number } => {
  let keys = 0
  let level = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    // `{` and `[`, `}` and `]`, `:`
    else if (code === 0x7b || code === 0x5b) depth = Math.max(depth, ++level)
    else if (code === 0x7d || code === 0x5d) level--
    else if (code === 0x3a && level === 1) keys++
  }
  return { keys, depth }
}

const endOfString = (text: string, start: number): number => {
  let at = start + 1
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}
