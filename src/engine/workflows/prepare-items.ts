import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KindDefinition } from '../../executors/kind-definition.ts'
import type { FieldError } from '../../kernel/errors.ts'
import { type Kind, kindOfBody } from '../../model/kind.ts'
import type { RetryPolicy } from '../../model/retry.ts'
import type { SecretBox } from '../../store/secrets.ts'
import { type BodyOfJob, toBodyOfJob } from '../body-of-job.ts'
import { type BodyCheck, type CheckBody, isPlainObject } from '../check-body.ts'
import { mergeItem, type Shared } from './merge-item.ts'

export type ItemSettings = Shared & {
  /** The workflow's, over the default of items. */
  readonly retry: RetryPolicy
  readonly now: number
}

export type PreparedItems = {
  /** One per payload body when `errors` is empty and `unavailable` null. */
  readonly items: readonly BodyOfJob[]
  readonly errors: readonly FieldError[]
  /** The first kind that this installation has no executor for. */
  readonly unavailable: Kind | null
}

/** How many bodies are prepared before others get a turn: about two milliseconds. */
const PORTION = 100
/** More faults than anyone reads: a payload of 10,000 wrong bodies need not be read to its end. */
const ENOUGH_ERRORS = 200

/** The one way from bodies of a payload to jobs; for creating a workflow, firing it, triggering it and extending a run. */
export const createItemPreparer = ({ check, definitions, secrets }: Dependencies) => {
  const byKind = new Map(definitions.map(definition => [definition.kind, definition]))

  const prepareOne = (given: unknown, settings: ItemSettings, path: string): BodyCheck => {
    const item = isPlainObject(given) ? given : {}
    if (item.scheduled_at !== undefined)
      return { type: 'wrong', errors: [{ path: `${path}.scheduled_at`, message: 'an item runs when its run does' }] }
    const kind = kindOfBody(item)
    const merges = kind === null ? undefined : byKind.get(kind)?.merges
    const body = merges === undefined ? given : mergeItem(item, merges, kind!, settings)
    return check(body, { path, now: settings.now, retry: settings.retry })
  }

  /** Errors stand below `payload.<index>`. Gives others a turn every now and then. */
  return async (bodies: readonly unknown[], settings: ItemSettings): Promise<PreparedItems> => {
    const seal = sealOnce(secrets)
    const items: BodyOfJob[] = []
    const errors: FieldError[] = []
    for (const [index, body] of bodies.entries()) {
      if (index % PORTION === PORTION - 1) await nextTurn()
      const checked = prepareOne(body, settings, `payload.${index}`)
      if (checked.type === 'unavailable') return { items: [], errors, unavailable: checked.kind }
      if (checked.type === 'right') items.push(toBodyOfJob(checked.body, seal))
      else errors.push(...checked.errors)
      if (errors.length > ENOUGH_ERRORS) break
    }
    return { items, errors, unavailable: null }
  }
}

export type PrepareItems = ReturnType<typeof createItemPreparer>

type Dependencies = {
  readonly check: CheckBody
  readonly definitions: readonly KindDefinition[]
  readonly secrets: SecretBox
}

/** Most items of a payload have the same secrets, those of the workflow: they share one sealed record. */
const sealOnce = ({ seal }: SecretBox) => {
  const sealed = new Map<string, Uint8Array>()
  return (record: Readonly<Record<string, string>>): Uint8Array => {
    const key = JSON.stringify(record)
    const known = sealed.get(key) ?? seal(record)
    sealed.set(key, known)
    return known
  }
}
