import type { KindDefinition } from '../executors/kind-definition.ts'
import { MillraceError } from '../kernel/errors.ts'
import type { NewJob } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { Scope } from '../model/scopes.ts'

type Holder = { readonly scopes: readonly string[] }
type Work = Pick<NewJob, 'kind' | 'spec'>

/** Throws `forbidden` unless the holder has the scopes that the jobs need: those of their kinds, and further ones that some bodies need. */
export type RequireRights = (holder: Holder, jobs: readonly Work[]) => void

/** Builds the check from the kinds the server knows. */
export const createRequireRights = (definitions: readonly KindDefinition[]): RequireRights => {
  const furtherRights = new Map(definitions.map(({ kind, furtherRight }) => [kind, furtherRight]))

  const requireFurther = (holder: Holder, { kind, spec }: Work): void => {
    const right = furtherRights.get(kind)
    if (right === undefined || holder.scopes.includes(right.scope)) return
    if (right.isTaken(JSON.parse(spec) as Readonly<Record<string, unknown>>))
      throw new MillraceError('forbidden', `The token lacks the scope ${right.scope}: ${right.because}.`)
  }

  return (holder, jobs) => {
    for (const kind of new Set<Kind>(jobs.map(job => job.kind))) requireScope(holder, `jobs:run:${kind}`)
    for (const job of jobs) requireFurther(holder, job)
  }
}

/** Throws `forbidden` unless the holder has the scope. */
export const requireScope = (holder: Holder, scope: Scope): void => {
  if (!holder.scopes.includes(scope)) throw new MillraceError('forbidden', `The token lacks the scope ${scope}.`)
}
