/** A number of JSON as it is written: a double would make another of a long one. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The same number again, digit by digit. */
  toJSON(): unknown {
    return JSON.rawJSON(this.text)
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** ECMAScript 2026; the types of TypeScript do not know of the source yet. */
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown

/** The value of a JSON text, its numbers as `JsonNumber`. Throws `SyntaxError`. */
export const parseJson = (text: string): unknown =>
  parse(text, (_, value, { source }) => (typeof value === 'number' ? new JsonNumber(source!) : value))

/** An object of JSON: neither a list nor a number. */
export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
