import type { Queryable, Statement } from './database.ts'

type Scopes = readonly string[]

const KEEP: Statement = {
  name: 'keep_scope_set',
  text: `
    INSERT INTO millrace.scope_set (scopes) VALUES ($1)
    ON CONFLICT (scopes) DO UPDATE SET scopes = excluded.scopes
    RETURNING id`,
}

/**
 * The scopes of submitters. Every job has those of its submitter, which is as much text as the rest of it, and there are
 * as many sets as kinds of tokens: each is stored once and remembered here.
 */
export class ScopeSets {
  readonly #target: Queryable
  readonly #ids = new Map<string, number>()
  readonly #byIdentity = new WeakMap<Scopes, number>()

  constructor(target: Queryable) {
    this.#target = target
  }

  /** Stores the sets that are not yet known; afterwards `idOf` knows them. */
  async keep(jobs: readonly { readonly scopes: Scopes }[]): Promise<void> {
    let last: Scopes | undefined
    for (const { scopes } of jobs) {
      if (scopes === last || this.#byIdentity.has(scopes)) continue
      last = scopes
      this.#byIdentity.set(scopes, await this.#keepOne(JSON.stringify(scopes)))
    }
  }

  idOf(scopes: Scopes): number {
    return this.#byIdentity.get(scopes)!
  }

  async #keepOne(text: string): Promise<number> {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const [row] = await this.#target.query<{ id: number }>(KEEP, [text])
    this.#ids.set(text, row!.id)
    return row!.id
  }
}
