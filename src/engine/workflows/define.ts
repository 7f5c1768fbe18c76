import { isDeepStrictEqual } from 'node:util'
import type { KindDefinition } from '../../executors/kind-definition.ts'
import { type FieldError, MillraceError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { isCopyWorkflow, renameFault, withCopyLabels } from '../../model/copy-schedule.ts'
import type { Schedule } from '../../model/schedule/schedule.ts'
import type { Workflow } from '../../model/workflow.ts'
import type { WorkflowDefinition } from '../../model/workflow-definition.ts'
import type { SecretBox } from '../../store/secrets.ts'
import type { Store } from '../../store/store.ts'
import type { LoadedWorkflow, NewWorkflow, Timing } from '../../store/workflow-store.ts'
import { createSinkNamesCheck } from '../check-sink-names.ts'
import type { Submitter } from '../engine.ts'
import { invalidFields } from '../invalid-fields.ts'
import { noSuchWorkflow } from '../not-found.ts'
import type { RequireRights } from '../require-rights.ts'
import type { Workflows } from '../workflows.ts'
import { hideSecrets, missingSecrets, restoreSecrets, type ShownDefinition } from './definition-secrets.ts'
import type { PreparedItems, PrepareItems } from './prepare-items.ts'
import { definitionFaults, itemRetry, readShape, type Shape } from './read-definition.ts'
import { type DefinitionFault, scheduleFaults, scheduleOf, scheduleRefusal, timingAt } from './timing.ts'

type Dependencies = {
  readonly store: Store
  readonly secrets: SecretBox
  readonly definitions: readonly KindDefinition[]
  readonly prepare: PrepareItems
  readonly requireRights: RequireRights
  readonly maxItems: number
}

/** A definition found valid for one workflow. */
type Checked = ShownDefinition & { readonly schedule: Schedule | null }
type Kept = ShownDefinition & { readonly workflow: LoadedWorkflow }

const NO_ITEMS: PreparedItems = { items: [], errors: [] }

/** How often a replace is retried after losing a race with another change. */
const MOST_TRIES = 5

/** Creating, replacing and checking workflows. */
export const createDefine = (dependencies: Dependencies): Pick<Workflows, 'create' | 'replace' | 'check'> => {
  const { store, secrets, definitions, prepare, requireRights, maxItems } = dependencies
  const checkSinkNames = createSinkNamesCheck(definitions)

  /** Reports all faults at once. */
  const check = async (author: Submitter, shape: Shape, kept: Kept | null, workflowId: string): Promise<Checked> => {
    const sound = kept === null ? shape.sound : restoreSecrets(shape.sound, kept)
    const own = definitionFaults(sound)
    const { items, errors } = await checkItems(sound, { own, shape: shape.errors })
    const timing = sound.schedule === undefined ? [] : scheduleFaults(workflowId, sound.schedule)
    const names = checkSinkNames(shape.given, '')
    const faults: readonly DefinitionFault[] = [...shape.errors, ...own, ...names, ...errors, ...timing]
    if (faults.length > 0) throw scheduleRefusal(faults)
    const definition = sound as WorkflowDefinition
    requireRights(author, items)
    const hidden = hideSecrets(definition, definitions)
    const missing: readonly FieldError[] = missingSecrets(hidden.secrets)
    if (missing.length > 0) throw invalidFields(missing)
    return { ...hidden, schedule: definition.schedule ? scheduleOf(workflowId, definition.schedule) : null }
  }

  const checkItems = async (
    definition: Partial<WorkflowDefinition>,
    known: { own: readonly FieldError[]; shape: readonly FieldError[] },
  ): Promise<PreparedItems> => {
    const { payload = [], environment } = definition
    // With a wrong environment, items would report errors that stem from it.
    if (known.shape.some(({ path }) => path.startsWith('environment'))) return NO_ITEMS
    // Faults of the workflow's sinks are not repeated for every item that inherits them.
    const sinks = known.own.some(({ path }) => path.startsWith('sinks.')) ? undefined : definition.sinks
    const settings = { environment, sinks, parameters: undefined, retry: itemRetry(definition), now: 0 }
    return prepare(payload, settings)
  }

  const find = async (workspace: string, workflow: string): Promise<Kept | null> => {
    const loaded = await store.loadWorkflow({ workspace, workflow })
    if (loaded === null) return null
    return {
      workflow: loaded,
      shown: JSON.parse(loaded.definition),
      secrets: loaded.secrets === null ? {} : secrets.open(loaded.secrets),
    }
  }

  const toStored = (author: Submitter, { shown, secrets: values }: Checked): Omit<NewWorkflow, 'id' | 'timing'> => ({
    workspace: author.workspace,
    name: shown.name,
    definition: JSON.stringify(shown),
    secrets: Object.keys(values).length === 0 ? null : secrets.seal(values),
    scopes: author.scopes,
    maxConsecutiveFailures: shown.max_consecutive_failures ?? null,
  })

  const create: Workflows['create'] = async ({ author, definition }) => {
    const id = newId()
    const checked = await check(author, readShape(definition, { maxItems }), null, id)
    const timing = startingNow(checked.schedule, id, await store.now())
    const outcome = await store.createWorkflow({ ...toStored(author, checked), id, timing })
    if (outcome === 'exists') throw nameTaken(checked.shown.name)
    return outcome
  }

  /** null: somebody else changed it meanwhile. */
  const tryReplace = async (author: Submitter, name: string, definition: unknown) => {
    const kept = await find(author.workspace, name)
    if (kept === null) throw noSuchWorkflow(name)
    const { workflow } = kept
    const given = isCopyWorkflow(kept.shown) ? asCopyWorkflow(definition, kept) : definition
    const checked = await check(author, readShape(given, { maxItems }), kept, workflow.id)
    if (isSame(checked, kept)) return { workflow: withoutSecrets(workflow), changed: false }
    const timing = isDeepStrictEqual(checked.shown.schedule, kept.shown.schedule)
      ? null
      : startingNow(checked.schedule, workflow.id, await store.now())
    const { id, version: expectedVersion } = workflow
    const outcome = await store.replaceWorkflow({ ...toStored(author, checked), workflow: id, expectedVersion, timing })
    if (outcome === 'not_found') throw noSuchWorkflow(name)
    if (outcome === 'exists') throw nameTaken(checked.shown.name)
    return outcome === 'changed' ? null : { workflow: outcome, changed: true }
  }

  return {
    create,
    replace: async ({ author, workflow, definition }) => {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const outcome = await tryReplace(author, workflow, definition)
        if (outcome !== null) return outcome
      }
      throw new MillraceError('workflow_changed')
    },
    check: async ({ author, definition }) => {
      const shape = readShape(definition, { maxItems })
      const { name } = shape.sound
      const kept = name === undefined ? null : await find(author.workspace, name)
      const workflowId = kept?.workflow.id ?? newId()
      const checked = await check(author, shape, kept, workflowId)
      const hasOldSchedule = kept !== null && isDeepStrictEqual(checked.shown.schedule, kept.shown.schedule)
      if (!hasOldSchedule) startingNow(checked.schedule, workflowId, await store.now())
      if (kept === null) return 'new'
      return isSame(checked, kept) ? 'unchanged' : 'changed'
    },
  }
}

/** Throws `invalid`. */
const asCopyWorkflow = (definition: unknown, { shown, workflow }: Kept): unknown => {
  const given = withCopyLabels(definition, shown)
  const name = typeof given === 'object' && given !== null && 'name' in given ? given.name : shown.name
  const fault = renameFault(name, shown, workflow.id)
  if (fault !== null) throw invalidFields([{ path: 'name', message: fault }])
  return given
}

/** Slots before the schedule was set do not count. Throws `schedule_never_fires` if none is after it. */
const startingNow = (schedule: Schedule | null, workflowId: string, now: number): Timing => {
  const timing = timingAt(schedule, workflowId, now)
  if (schedule !== null && timing.next === null)
    throw scheduleRefusal([{ path: 'schedule', message: 'has no slot after now', neverFires: true }])
  return timing
}

const isSame = (one: ShownDefinition, other: ShownDefinition): boolean =>
  isDeepStrictEqual(one.secrets, other.secrets) &&
  // Compare as text first, which is fast for thousands of items. The fallback is there because the order of fields does not matter.
  (JSON.stringify(one.shown) === JSON.stringify(other.shown) || isDeepStrictEqual(one.shown, other.shown))

/** What the interface promises: no sealed values and no schedule state. */
const withoutSecrets = ({ secrets: _, timing: __, ...workflow }: LoadedWorkflow): Workflow => workflow

const nameTaken = (name: string): MillraceError =>
  new MillraceError('workflow_exists', `There is already a workflow ${JSON.stringify(name)}.`)
