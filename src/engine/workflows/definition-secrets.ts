import type { KindDefinition } from '../../executors/kind-definition.ts'
import type { FieldError } from '../../kernel/errors.ts'
import { isPlainObject } from '../../kernel/plain-object.ts'
import { kindOfBody } from '../../model/kind.ts'
import { MASKED, putSecrets, takeSecrets } from '../../model/secrets.ts'
import { NOT_KEPT } from '../../model/sink-faults.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'
import { destinationOfRequest, destinationOfSink } from './destinations.ts'

type Secrets = Readonly<Record<string, string>>
type Body = Readonly<Record<string, unknown>>

/** A definition as stored: secrets replaced by `"***"`, and their values by path (`payload.0.environment.TOKEN`, `sinks.0.secret`). */
export type ShownDefinition = { readonly shown: WorkflowDefinition; readonly secrets: Secrets }

/** Extracts the secrets of a valid definition. A name that any item lists as secret is also secret in the workflow's environment. */
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

/** The stored definition, masked, and its secrets. */
export type Kept = { readonly shown: Body; readonly secrets: Secrets }

/**
 * The given definition with each `"***"` replaced by its stored value. An unchanged item or sink is recognized even if it moved. A changed one takes the
 * secrets stored at its position, except those that would now be sent to another address: a user who may change a workflow must not be able to send
 * secrets they were never shown to a server of theirs.
 */
export const restoreSecrets = <T extends Body>(definition: T, kept: Kept): T => {
  if (Object.keys(kept.secrets).length === 0) return definition
  return mapFields(definition, (name, value) => {
    if (name === 'payload') return restoreList(value, { before: kept.shown.payload, path: name, kept, restore: ofItem })
    return restoreField(name, value, { before: kept.shown, path: '', kept })
  }) as T
}

/** The former value, and its path in the stored definition. */
type Place = { readonly before: unknown; readonly path: string; readonly kept: Kept }
type Restore = (part: unknown, place: Place) => unknown

const ofItem: Restore = (item, place) =>
  isPlainObject(item) ? mapFields(item, (name, value) => restoreField(name, value, place)) : item

/** Restores a field of an item or of the workflow itself. */
const restoreField = (name: string, value: unknown, { before, path, kept }: Place): unknown => {
  const old = isPlainObject(before) ? before[name] : undefined
  const own = path === '' ? name : `${path}.${name}`
  if (name === 'sinks') return restoreList(value, { before: old, path: own, kept, restore: ofSink })
  if (name === 'http' && destinationOfRequest(value) !== destinationOfRequest(old)) return value
  return putSecrets(value, kept.secrets, own)
}

const ofSink: Restore = (sink, { before, path, kept }) =>
  destinationOfSink(sink) === destinationOfSink(before) ? putSecrets(sink, kept.secrets, path) : sink

const restoreList = (given: unknown, { before, path, kept, restore }: Place & { restore: Restore }): unknown => {
  if (!Array.isArray(given)) return given
  const old: readonly unknown[] = Array.isArray(before) ? before : []
  const places = new Map(old.map((part, index) => [JSON.stringify(part), index]))
  return given.map((part, index) => {
    const text = JSON.stringify(part)
    const place = text === JSON.stringify(old[index]) ? index : (places.get(text) ?? index)
    return restore(part, { before: old[place], path: `${path}.${place}`, kept })
  })
}

const mapFields = (body: Body, map: (name: string, value: unknown) => unknown): Body =>
  Object.fromEntries(Object.entries(body).map(([name, value]) => [name, map(name, value)]))

/** Faults of secrets given as `"***"` for which no value is stored. */
export const missingSecrets = (secrets: Secrets): readonly FieldError[] =>
  Object.entries(secrets)
    .filter(([, value]) => value === MASKED)
    .map(([path]) => ({ path, message: NOT_KEPT }))

/** Names of the secret variables in the environment of a masked definition. */
export const secretNamesOf = ({ environment = {} }: Pick<WorkflowDefinition, 'environment'>): readonly string[] =>
  Object.keys(environment).filter(name => environment[name] === MASKED)
