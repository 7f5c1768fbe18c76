import type { Statement } from './database.ts'

/**
 * Names for list queries generated from filters: planning a page takes three times as long as reading it. A connection keeps the plan of every name,
 * so only the first `most` texts get one.
 */
export class StatementNames {
  readonly #names = new Map<string, string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** The statement with a name derived from its text, unless it already has one. */
  named(statement: Statement): Statement {
    const { text } = statement
    if (statement.name !== '') return statement
    const name = this.#names.get(text)
    if (name !== undefined) return { name, text }
    if (this.#names.size >= this.#most) return statement
    const given = `list_${this.#names.size}`
    this.#names.set(text, given)
    return { name: given, text }
  }
}
