import type { KindDefinition } from '../../executors/kind-definition.ts'
import type { FieldError } from '../../kernel/errors.ts'
import { kindOfBody } from '../../model/kind.ts'
import { MASKED, putSecrets, takeSecrets } from '../../model/secrets.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'

type Secrets = Readonly<Record<string, string>>
type Body = Readonly<Record<string, unknown>>

/** A definition as it is stored: `"***"` in place of secrets, and these by their path (`payload.0.environment.TOKEN`, `sinks.0.secret`). */
export type ShownDefinition = { readonly shown: WorkflowDefinition; readonly secrets: Secrets }

/** Takes the secrets out of a definition that has been found right. A name that any item lists as secret is secret in the workflow's environment too. */
export const hideSecrets = (
  definition: WorkflowDefinition,
  definitions: readonly KindDefinition[],
): ShownDefinition => {
  const secretMaps = new Map(definitions.map(({ kind, secretMaps: maps }) => [kind, maps]))
  const { environment, sinks } = definition
  const listed = new Set<string>()
  const secrets: Record<string, string> = {}
  const payload = definition.payload.map((item, index) => {
    const names = (item.secrets as string[] | undefined) ?? []
    for (const name of names) listed.add(name)
    const taken = takeSecrets(item, secretMaps.get(kindOfBody(item)!) ?? [], names)
    for (const [path, value] of Object.entries(taken.secrets)) secrets[`payload.${index}.${path}`] = value
    return taken.body
  })
  const own = takeSecrets(
    { ...(environment && { environment }), ...(sinks && { sinks }) },
    ['environment'],
    [...listed],
  )
  return { shown: { ...definition, ...own.body, payload }, secrets: { ...secrets, ...own.secrets } }
}

/**
 * A definition as it was given, with the values of `kept` where it says `"***"`. Items and sinks that are as they were are
 * known again wherever they stand now; others keep what stood in their place.
 */
export const restoreSecrets = <T extends Body>(
  definition: T,
  kept: { readonly shown: Body; readonly secrets: Secrets },
): T => {
  if (Object.keys(kept.secrets).length === 0) return definition
  const { payload, sinks, ...rest } = definition
  return {
    ...putSecrets(rest, kept.secrets),
    ...(payload !== undefined && { payload: restoreList('payload', payload, kept) }),
    ...(sinks !== undefined && { sinks: restoreList('sinks', sinks, kept) }),
  } as unknown as T
}

const restoreList = (field: string, given: unknown, kept: { shown: Body; secrets: Secrets }): unknown => {
  if (!Array.isArray(given)) return given
  const before = (kept.shown[field] ?? []) as readonly unknown[]
  const places = new Map(before.map((part, index) => [JSON.stringify(part), index]))
  return given.map((part, index) => {
    const same = JSON.stringify(part) === JSON.stringify(before[index])
    const place = same ? index : (places.get(JSON.stringify(part)) ?? index)
    return putSecrets(part, kept.secrets, `${field}.${place}`)
  })
}

/** Secrets that are given as `"***"` though nothing is kept in their place. */
export const missingSecrets = (secrets: Secrets): readonly FieldError[] =>
  Object.entries(secrets)
    .filter(([, value]) => value === MASKED)
    .map(([path]) => ({ path, message: 'is "***", but there is no value to keep: give the value itself' }))
