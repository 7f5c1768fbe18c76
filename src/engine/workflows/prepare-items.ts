import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KindDefinition } from '../../executors/kind-definition.ts'
import { isPlainObject } from '../../kernel/plain-object.ts'
import { kindOfBody } from '../../model/kind.ts'
import type { RetryPolicy } from '../../model/retry.ts'
import type { SecretBox } from '../../store/secrets.ts'
import { type BodyOfJob, toBodyOfJob } from '../body-of-job.ts'
import { type BodyCheck, type CheckBody, withFaults } from '../check-body.ts'
import { createSinkNamesCheck } from '../check-sink-names.ts'
import { type BodyFault, ENOUGH_ERRORS } from '../invalid-fields.ts'
import { mergeItem, type Shared } from './merge-item.ts'

export type ItemSettings = Shared & {
  /** The workflow's policy, over the defaults for items. */
  readonly retry: RetryPolicy
  readonly now: number
  /** The bodies were checked when written. Functions named by their sinks may be gone since, so names are not checked again. */
  readonly isKept?: true
}

export type PreparedItems = {
  /** One per payload body if `errors` is empty. */
  readonly items: readonly BodyOfJob[]
  readonly errors: readonly BodyFault[]
}

/** Number of bodies prepared before yielding: about two milliseconds. */
const PORTION = 100
/** Limit for all jobs of one payload together. Each has its own copy of the workflow's environment and sinks and of the trigger's parameters. */
const MOST_CHARACTERS = 64 * 1024 * 1024

/** The only path from payload bodies to jobs: for creating, firing and triggering a workflow and for extending a run. */
export const createItemPreparer = ({ check, definitions, secrets }: Dependencies) => {
  const checkSinkNames = createSinkNamesCheck(definitions)
  const byKind = new Map(definitions.map(definition => [definition.kind, definition]))

  const prepareOne = (given: unknown, settings: ItemSettings, path: string): BodyCheck => {
    const item = isPlainObject(given) ? given : {}
    if (item.scheduled_at !== undefined)
      return { type: 'wrong', errors: [{ path: `${path}.scheduled_at`, message: 'an item runs when its run does' }] }
    const kind = kindOfBody(item)
    const merges = kind === null ? undefined : byKind.get(kind)?.merges
    const body = merges === undefined ? given : mergeItem(item, merges, settings)
    const { now, retry, secretNames = [], isKept = false } = settings
    // Check the item, not `body`: `body` may include the workflow's sinks, which are checked separately.
    return withFaults(check(body, { path, now, retry, secretNames }), isKept ? [] : checkSinkNames(item, path))
  }

  /** Error paths start with `payload.<index>`. Yields regularly. */
  return async (bodies: readonly unknown[], settings: ItemSettings): Promise<PreparedItems> => {
    const seal = sealOnce(secrets)
    const items: BodyOfJob[] = []
    const errors: BodyFault[] = []
    let characters = 0
    for (const [index, body] of bodies.entries()) {
      if (index % PORTION === PORTION - 1) await nextTurn()
      const checked = prepareOne(body, settings, `payload.${index}`)
      if (checked.type === 'wrong') errors.push(...checked.errors)
      else characters += keep(items, toBodyOfJob(checked.body, seal))
      if (characters > MOST_CHARACTERS) return { items: [], errors: [...errors, TOO_LARGE] }
      if (errors.length > ENOUGH_ERRORS) break
    }
    return { items, errors }
  }
}

/** Returns the number of characters added. */
const keep = (items: BodyOfJob[], item: BodyOfJob): number => {
  items.push(item)
  return item.spec.length + (item.secrets?.length ?? 0)
}

const TOO_LARGE: BodyFault = {
  path: 'payload',
  message: `makes jobs of more than ${MOST_CHARACTERS / 1024 / 1024} MiB in all: each has a copy of the environment, the sinks and the parameters that are given to all`,
}

export type PrepareItems = ReturnType<typeof createItemPreparer>

type Dependencies = {
  readonly check: CheckBody
  readonly definitions: readonly KindDefinition[]
  readonly secrets: SecretBox
}

/** Most items of a payload have the same secrets, those of the workflow, so they share one sealed record. */
const sealOnce = ({ seal }: SecretBox) => {
  const sealed = new Map<string, Uint8Array>()
  return (record: Readonly<Record<string, string>>): Uint8Array => {
    const key = JSON.stringify(record)
    const known = sealed.get(key) ?? seal(record)
    sealed.set(key, known)
    return known
  }
}
