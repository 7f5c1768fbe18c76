/** A JSON number as written: a double would change a long one. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The same number, digit by digit. */
  toJSON(): unknown {
    return JSON.rawJSON(this.text)
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** ECMAScript 2026. TypeScript's types lack `source`. */
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown

/** Parses JSON, with its numbers as `JsonNumber`. Throws `SyntaxError`. */
export const parseJson = (text: string): unknown =>
  parse(text, (_, value, { source }) => (typeof value === 'number' ? new JsonNumber(source!) : value))

/** A JSON object: neither an array nor a number. */
export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
