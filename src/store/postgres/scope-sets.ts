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
 * Stored scope sets. Every job has its submitter's scopes, which are as much text as the rest of the job, but there are only as many sets as kinds of
 * tokens: each is stored once and cached here.
 */
export class ScopeSets {
  readonly #target: Queryable
  readonly #ids = new Map<string, number>()
  readonly #byIdentity = new WeakMap<Scopes, number>()

  constructor(target: Queryable) {
    this.#target = target
  }

  /** Stores sets not yet known; afterwards `idOf` finds them. */
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
