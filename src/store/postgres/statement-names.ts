import type { Statement } from './database.ts'

/**
 * Names for statements that are put together from what a caller filters by: planning a page of a list takes three times as
 * long as reading it. A connection keeps the plan of every name, so that only the first `most` texts get one.
 */
export class StatementNames {
  readonly #names = new Map<string, string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** The statement under a name of its text, if it has none of its own. */
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
