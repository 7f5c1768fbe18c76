import type { FieldError } from '../kernel/errors.ts'

/** A number outside of a string that may be one: of 16 digits, or with an exponent of three. Looking for it costs next to nothing. */
const SUSPECT = /[:[,]\s*-?\d(?:\d{15}|[\d.]*[eE]\+?\d{3})/

/** What stands in a value where a number of its text was altered. */
class Altered {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const MOST_TOLD = 20

/**
 * Numbers in lists and objects of a JSON text that no double holds, which JSON.parse alters without a word: integers
 * (12345678901234567890 would come back as 12345678901234567000) and what is infinite (1e400 would be null). Digits after a point are cut as ever.
 * Paths are those of fields. `text` must be JSON.
 */
export const findInexactNumbers = (text: string): readonly FieldError[] => {
  if (!SUSPECT.test(text)) return []
  const found: FieldError[] = []
  collect(JSON.parse(text, markAltered), [], found)
  return found
}

/** What is wrong with a number as it was written; null: nothing. */
export const inexactNumber = (text: string, value: number): string | null =>
  isAltered(text, value)
    ? `must be a number that a double holds, and ${shortened(text)} is none: send it as a text`
    : null

/** As JSON and YAML write them. */
const INTEGER = /^(?:[-+]?\d+|0x[\da-fA-F]+|0o[0-7]+)$/

const isAltered = (text: string, value: number): boolean => {
  if (!Number.isFinite(value)) return true
  if (Number.isSafeInteger(value) || !INTEGER.test(text)) return false
  // As JavaScript writes its doubles: it comes back as it was.
  return String(value) !== text && BigInt(text) !== BigInt(value)
}

const markAltered = (_: string, value: unknown, { source }: { source?: string } = {}): unknown =>
  typeof value === 'number' && source !== undefined && isAltered(source, value) ? new Altered(source) : value

const collect = (value: unknown, path: readonly string[], found: FieldError[]): void => {
  if (found.length === MOST_TOLD || typeof value !== 'object' || value === null) return
  if (value instanceof Altered)
    found.push({ path: path.join('.'), message: inexactNumber(value.text, Number(value.text))! })
  else for (const [name, inner] of Object.entries(value)) collect(inner, [...path, name], found)
}

const SHOWN = 40

const shortened = (text: string): string => (text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`)
