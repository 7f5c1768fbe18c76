import { Compile } from 'typebox/compile'
import { type FieldError, MillraceError } from '../../kernel/errors.ts'
import { isPlainObject } from '../../kernel/plain-object.ts'
import { isFault, readRetry, retryFaults } from '../../model/job-body.ts'
import { ITEM_RETRY, type RetryPolicy } from '../../model/retry.ts'
import { joinPath } from '../../model/schema-errors.ts'
import { sinkFaults } from '../../model/sink-faults.ts'
import {
  type WorkflowDefinition,
  WorkflowDefinitionSchema,
  workflowNameFault,
} from '../../model/workflow-definition.ts'
import { faultsOfSoundSinks } from '../check-sinks.ts'
import { createFieldCheck } from '../field-check.ts'
import { invalidFields } from '../invalid-fields.ts'
import { faultsOfScheduleParts } from './schedule-parts.ts'

const validator = Compile(WorkflowDefinitionSchema)

/** Fields that accept null, which means the same as leaving them out. */
const NULLABLE = [
  'description',
  'environment',
  'configuration',
  'schedule',
  'sinks',
  'max_consecutive_failures',
] as const

/** The fields of a definition that match the schema, and the faults of the rest. */
export type Shape = {
  readonly given: Given
  readonly sound: Partial<WorkflowDefinition>
  readonly errors: readonly FieldError[]
}

type Given = Readonly<Record<string, unknown>>

/**
 * Checks the form of a definition, but not the contents of its payload and schedule. Without errors, `sound` is the whole definition. With errors, it is
 * the part that can still be checked, so that all faults are reported at once. Throws `too_many_items`, and `invalid` if it is not an object.
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

/** The checks beyond the schema for parts of fields whose schema failed. */
const partFaults = (given: Given, sound: Partial<WorkflowDefinition>): readonly FieldError[] => [
  ...(sound.schedule === undefined ? placedAt('schedule', faultsOfScheduleParts(given.schedule)) : []),
  ...(sound.sinks === undefined ? faultsOfSoundSinks(given.sinks, 'sinks') : []),
  ...(sound.configuration === undefined
    ? placedAt('configuration', retryFaults(Object(given.configuration).retry))
    : []),
]

const placedAt = (field: string, faults: readonly FieldError[]): readonly FieldError[] =>
  faults.map(({ path, message }) => ({ path: joinPath(field, path), message }))

/** The error for `count` items where at most `maxItems` are allowed. */
export const tooManyItems = (count: number, maxItems: number): MillraceError =>
  new MillraceError('too_many_items', `A run may have ${maxItems} items; this would make ${count}.`)

/** The checks beyond the schema, except for the payload and the schedule. */
export const definitionFaults = (definition: Partial<WorkflowDefinition>): readonly FieldError[] => {
  const name = definition.name === undefined ? null : workflowNameFault(definition.name)
  return [
    ...(name === null ? [] : [{ path: 'name', message: name }]),
    ...placedAt('configuration', retryFaults(definition.configuration?.retry)),
    ...sinkFaults(definition.sinks ?? []).map(fault => ({ ...fault, path: `sinks.${fault.path}` })),
  ]
}

/** The retry policy that items override: the workflow's over the defaults for items, field by field. */
export const itemRetry = (definition: Pick<WorkflowDefinition, 'configuration'>): RetryPolicy => {
  const retry = readRetry(definition.configuration?.retry, ITEM_RETRY)
  return isFault(retry) ? ITEM_RETRY : retry
}
