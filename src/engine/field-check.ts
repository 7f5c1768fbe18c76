import type { TProperties, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { type FieldError, MOST_ERRORS } from '../kernel/errors.ts'
import { once } from '../kernel/once.ts'
import { boundedErrors, toFieldErrors } from '../model/schema-errors.ts'
import { unknownField } from '../model/unknown-field.ts'
import { sinkErrors } from './check-sinks.ts'

type Given = Readonly<Record<string, unknown>>

/** Checks an object refused by its schema field by field, so that all faults are reported at once. */
export interface FieldCheck {
  /** Unknown fields, missing fields, and the faults of the others. */
  errors(given: Given): readonly FieldError[]
  /** The fields that match their schemas. */
  sound(given: Given): Given
}

/** The schemas are compiled on first use. */
export const createFieldCheck = (schema: {
  readonly properties: TProperties
  readonly required?: readonly string[] | undefined
}): FieldCheck => {
  const { properties, required = [] } = schema
  const within = fieldsWithin(properties)
  // One by one, because TypeBox reports at most eight errors for a whole object.
  const validators = once(() =>
    Object.entries(properties).map(([field, one]) => [field, Compile(one as TSchema)] as const),
  )
  /** Slow. A body may have a hundred thousand unknown fields, which would take seconds, so it is not called beyond the number of errors reported. */
  const unknown = (field: string): string => unknownField(field, Object.keys(properties), within)
  const given = (value: Given) => validators().filter(([field]) => value[field] !== undefined)

  return {
    errors: value => [
      ...Object.keys(value)
        .filter(field => !Object.hasOwn(properties, field))
        .map((field, at) => ({ path: field, message: at < MOST_ERRORS ? unknown(field) : unknownField(field, []) })),
      ...required.filter(field => value[field] === undefined).map(field => ({ path: field, message: 'is required' })),
      ...given(value)
        .filter(([field, one]) => !one.Check(value[field]))
        .flatMap(([field, one]) => fieldErrors(field, one, value[field])),
    ],
    sound: value =>
      Object.fromEntries(
        given(value)
          .filter(([field, one]) => one.Check(value[field]))
          .map(([field]) => [field, value[field]]),
      ),
  }
}

/** The property names of those fields that are objects. */
const fieldsWithin = (properties: TProperties): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([field, one]) => {
      const { properties: inner } = one as { readonly properties?: object }
      return inner === undefined ? [] : [[field, Object.keys(inner)]]
    }),
  )

/** Rules are lists of unions of unions. TypeBox's errors for a sink are therefore replaced by those of the schema of its own type. */
const fieldErrors = (field: string, one: Validator, value: unknown): readonly FieldError[] => {
  const errors = boundedErrors(one, value)
  if (field !== 'sinks') return toFieldErrors(errors, field)
  const ofList = errors.filter(({ instancePath }) => instancePath === '')
  return [...toFieldErrors(ofList, field), ...sinkErrors(value, field)]
}
