import type { Schedule } from '../../model/schedule/schedule.ts'
import { DEFAULT_MAX_CONCURRENT, type WorkflowDefinition } from '../../model/workflow-definition.ts'
import type { SecretBox } from '../../store/secrets.ts'
import type { Store } from '../../store/store.ts'
import type { LoadedWorkflow } from '../../store/workflow-store.ts'
import { invalidFields } from '../invalid-fields.ts'
import { restoreSecrets, secretNamesOf } from './definition-secrets.ts'
import type { PrepareItems } from './prepare-items.ts'
import { itemRetry, tooManyItems } from './read-definition.ts'
import type { Template } from './template.ts'
import { scheduleOf } from './timing.ts'
import { createWeightedCache } from './weighted-cache.ts'

type Dependencies = {
  readonly store: Store
  readonly secrets: SecretBox
  readonly prepare: PrepareItems
  readonly maxItems: number
}

type Version = { readonly id: string; readonly workspace: string; readonly version: number }
type Parameters = Readonly<Record<string, unknown>>

/** Limit for the characters of cached definitions and bodies. 10,000 workflows with one item need about a tenth of it. */
const MOST_CHARACTERS = 64 * 1024 * 1024
/** Weight of an entry in addition to its texts. */
const ENTRY_CHARACTERS = 1024

/** Makes templates of stored workflows and caches them by id and version. */
export const createTemplates = ({ store, secrets, prepare, maxItems }: Dependencies) => {
  const cache = createWeightedCache<Template>({ most: MOST_CHARACTERS, weigh })

  /** Decrypts the definition of a stored workflow. Throws `WrongSecretKey`. */
  const openDefinition = (workflow: Pick<LoadedWorkflow, 'definition' | 'secrets'>): OpenDefinition => {
    const shown = JSON.parse(workflow.definition) as WorkflowDefinition
    const definition =
      workflow.secrets === null ? shown : restoreSecrets(shown, { shown, secrets: secrets.open(workflow.secrets) })
    return { definition, secretNames: secretNamesOf(shown) }
  }

  /** Throws if it cannot be made into jobs: `invalid`, `executor_unavailable`, `too_many_items`, `WrongSecretKey`. */
  const build = async (workflow: LoadedWorkflow, parameters?: Parameters): Promise<Template> => {
    const { definition, secretNames } = openDefinition(workflow)
    if (definition.payload.length > maxItems) throw tooManyItems(definition.payload.length, maxItems)
    const { environment, sinks } = definition
    const retry = itemRetry(definition)
    const settings = {
      environment,
      secretNames,
      sinks,
      parameters,
      retry,
      now: workflow.createdAt,
      isKept: true,
    } as const
    const { items, errors } = await prepare(definition.payload, settings)
    if (errors.length > 0) throw invalidFields(errors)
    return {
      workflowId: workflow.id,
      workspace: workflow.workspace,
      version: workflow.version,
      snapshot: workflow.definition,
      maxConcurrent: definition.configuration?.max_concurrent_requests ?? DEFAULT_MAX_CONCURRENT,
      scopes: workflow.scopes,
      schedule: definition.schedule ? scheduleOf(workflow.id, definition.schedule) : null,
      items,
    }
  }

  return {
    openDefinition,
    /** The template of a loaded workflow. A template with trigger parameters is not cached. */
    of: (workflow: LoadedWorkflow, parameters?: Parameters): Promise<Template> =>
      parameters === undefined ? cache.get(keyOf(workflow), () => build(workflow)) : build(workflow, parameters),
    /** Loads one version of a workflow, or null if it has changed or is gone. Rejects only if the store does. */
    load: async (wanted: Version): Promise<Template | BrokenTemplate | null> => {
      const key = keyOf(wanted)
      const known = cache.peek(key)
      if (known !== undefined) return known
      const workflow = await store.loadWorkflow({ workspace: wanted.workspace, workflow: wanted.id })
      if (workflow === null || workflow.version !== wanted.version) return null
      try {
        return await cache.get(key, () => build(workflow))
      } catch (error) {
        return { items: null, error, schedule: scheduleAlone(workflow) }
      }
    },
  }
}

/** A definition with its secret values, and which variables of its environment are secret. */
type OpenDefinition = { readonly definition: WorkflowDefinition; readonly secretNames: readonly string[] }

export type Templates = ReturnType<typeof createTemplates>

/** A version that can no longer be made into jobs, because a function or the key that sealed its secrets is gone. */
export type BrokenTemplate = {
  readonly items: null
  readonly error: unknown
  /** null if even the schedule cannot be read. */
  readonly schedule: Schedule | null
}

const scheduleAlone = ({ id, definition }: LoadedWorkflow): Schedule | null => {
  try {
    const { schedule } = JSON.parse(definition) as WorkflowDefinition
    return schedule ? scheduleOf(id, schedule) : null
  } catch {
    return null
  }
}

const keyOf = ({ id, version }: Pick<Version, 'id' | 'version'>): string => `${id}:${version}`

const weigh = ({ snapshot, items }: Template): number =>
  items.reduce((sum, item) => sum + item.spec.length + ENTRY_CHARACTERS / 4, ENTRY_CHARACTERS + snapshot.length)
