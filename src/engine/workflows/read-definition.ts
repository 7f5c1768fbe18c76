import { Compile } from 'typebox/compile'
import { type FieldError, MillraceError } from '../../kernel/errors.ts'
import { isFault, readRetry, retryFaults } from '../../model/job-body.ts'
import { ITEM_RETRY, type RetryPolicy } from '../../model/retry.ts'
import { joinPath } from '../../model/schema-errors.ts'
import { sinkFaults } from '../../model/sink-faults.ts'
import {
  type WorkflowDefinition,
  WorkflowDefinitionSchema,
  workflowNameFault,
} from '../../model/workflow-definition.ts'
import { isPlainObject } from '../check-body.ts'
import { faultsOfSoundSinks } from '../check-sinks.ts'
import { createFieldCheck } from '../field-check.ts'
import { invalidFields } from '../invalid-fields.ts'
import { faultsOfScheduleParts } from './schedule-parts.ts'

const validator = Compile(WorkflowDefinitionSchema)

/** Fields that may be given as null, which is the same as leaving them out. */
const NULLABLE = [
  'description',
  'environment',
  'configuration',
  'schedule',
  'sinks',
  'max_consecutive_failures',
] as const

/** What of a definition has the form of the schema, field by field, and what is wrong with the rest. */
export type Shape = {
  readonly given: Given
  readonly sound: Partial<WorkflowDefinition>
  readonly errors: readonly FieldError[]
}

type Given = Readonly<Record<string, unknown>>

/**
 * The form of a definition; its payload and schedule are not yet looked into. Without errors `sound` is the whole of it.
 * With errors it is what can be judged nevertheless, so that all faults are told at once. Throws `too_many_items`, and
 * `invalid` when it is no object.
 */
export const readShape = (given: unknown, { maxItems }: { maxItems: number }): Shape => {
  if (!isPlainObject(given)) throw invalidFields([{ path: '', message: 'must be an object: a workflow' }])
  const definition = { ...given }
  for (const field of NULLABLE) if (definition[field] === null) delete definition[field]
  if (Array.isArray(definition.payload) && definition.payload.length > maxItems)
    throw tooManyItems(definition.payload.length, maxItems)
  if (validator.Check(definition)) return { given, sound: definition as unknown as WorkflowDefinition, errors: [] }
  const sound = fields.sound(definition) as Partial<WorkflowDefinition>
  return { given, sound, errors: [...fields.errors(definition), ...partFaults(definition, sound)] }
}

const fields = createFieldCheck(WorkflowDefinitionSchema)

/** What no schema can judge of fields that theirs have refused. */
const partFaults = (given: Given, sound: Partial<WorkflowDefinition>): readonly FieldError[] => [
  ...(sound.schedule === undefined ? placedAt('schedule', faultsOfScheduleParts(given.schedule)) : []),
  ...(sound.sinks === undefined ? faultsOfSoundSinks(given.sinks, 'sinks') : []),
  ...(sound.configuration === undefined
    ? placedAt('configuration', retryFaults(Object(given.configuration).retry))
    : []),
]

const placedAt = (field: string, faults: readonly FieldError[]): readonly FieldError[] =>
  faults.map(({ path, message }) => ({ path: joinPath(field, path), message }))

/** `count` items where at most `maxItems` may be. */
export const tooManyItems = (count: number, maxItems: number): MillraceError =>
  new MillraceError('too_many_items', `A run may have ${maxItems} items; this would make ${count}.`)

/** What the schema cannot judge, but for the payload and the schedule. */
export const definitionFaults = (definition: Partial<WorkflowDefinition>): readonly FieldError[] => {
  const name = definition.name === undefined ? null : workflowNameFault(definition.name)
  return [
    ...(name === null ? [] : [{ path: 'name', message: name }]),
    ...placedAt('configuration', retryFaults(definition.configuration?.retry)),
    ...sinkFaults(definition.sinks ?? []).map(fault => ({ ...fault, path: `sinks.${fault.path}` })),
  ]
}

/** The policy that items are laid over: the workflow's over the default of items, field by field. */
export const itemRetry = (definition: Pick<WorkflowDefinition, 'configuration'>): RetryPolicy => {
  const retry = readRetry(definition.configuration?.retry, ITEM_RETRY)
  return isFault(retry) ? ITEM_RETRY : retry
}
