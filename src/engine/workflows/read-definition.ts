import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { type FieldError, MillraceError } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { isFault, readRetry } from '../../model/job-body.ts'
import { ITEM_RETRY, type RetryPolicy } from '../../model/retry.ts'
import { boundedErrors, toFieldErrors } from '../../model/schema-errors.ts'
import { sinkFaults } from '../../model/sink-faults.ts'
import {
  type WorkflowDefinition,
  WorkflowDefinitionSchema,
  workflowNameFault,
} from '../../model/workflow-definition.ts'
import { isPlainObject } from '../check-body.ts'
import { sinkErrors } from '../check-sinks.ts'
import { invalidFields } from '../invalid-fields.ts'

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
export type Shape = { readonly sound: Partial<WorkflowDefinition>; readonly errors: readonly FieldError[] }

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
  if (validator.Check(definition)) return { sound: definition as unknown as WorkflowDefinition, errors: [] }
  return { sound: soundFields(definition), errors: shapeErrors(definition) }
}

type Given = Readonly<Record<string, unknown>>

/** Field by field: of a whole definition TypeBox tells no more than eight errors. */
const fieldValidators = once(() =>
  Object.entries(WorkflowDefinitionSchema.properties).map(
    ([field, schema]) => [field, Compile(schema as TSchema)] as const,
  ),
)

const soundFields = (definition: Given): Partial<WorkflowDefinition> =>
  Object.fromEntries(
    fieldValidators()
      .filter(([field, one]) => definition[field] !== undefined && one.Check(definition[field]))
      .map(([field]) => [field, definition[field]]),
  )

const shapeErrors = (definition: Given): readonly FieldError[] => [
  ...Object.keys(definition)
    .filter(field => !Object.hasOwn(WorkflowDefinitionSchema.properties, field))
    .map(field => ({ path: field, message: 'is not a known field' })),
  ...WorkflowDefinitionSchema.required
    .filter(field => definition[field] === undefined)
    .map(field => ({ path: field, message: 'is required' })),
  ...fieldValidators()
    .filter(([field, one]) => definition[field] !== undefined && !one.Check(definition[field]))
    .flatMap(([field, one]) => fieldErrors(field, one, definition[field])),
]

/** Lists of rules hold unions of unions: what TypeBox says of a sink is told by its own type instead. */
const fieldErrors = (field: string, one: Validator, value: unknown): readonly FieldError[] => {
  const errors = boundedErrors(one, value)
  if (field !== 'sinks') return toFieldErrors(errors, field)
  return [
    ...toFieldErrors(
      errors.filter(({ instancePath }) => instancePath === ''),
      field,
    ),
    ...sinkErrors(value, field),
  ]
}

/** `count` items where at most `maxItems` may be. */
export const tooManyItems = (count: number, maxItems: number): MillraceError =>
  new MillraceError('too_many_items', `A run may have ${maxItems} items; this would make ${count}.`)

/** What the schema cannot judge, but for the payload and the schedule. */
export const definitionFaults = (definition: Partial<WorkflowDefinition>): readonly FieldError[] => {
  const name = definition.name === undefined ? null : workflowNameFault(definition.name)
  const retry = readRetry(definition.configuration?.retry)
  return [
    ...(name === null ? [] : [{ path: 'name', message: name }]),
    ...(isFault(retry) ? [{ ...retry, path: `configuration.${retry.path}` }] : []),
    ...sinkFaults(definition.sinks ?? []).map(fault => ({ ...fault, path: `sinks.${fault.path}` })),
  ]
}

/** The policy that items are laid over: the workflow's over the default of items, field by field. */
export const itemRetry = (definition: Pick<WorkflowDefinition, 'configuration'>): RetryPolicy => {
  const retry = readRetry(definition.configuration?.retry, ITEM_RETRY)
  return isFault(retry) ? ITEM_RETRY : retry
}
