import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { invalid } from '../kernel/errors.ts'
import { boundedErrors, toFieldErrors } from '../model/schema-errors.ts'

/**
 * Validates with the engine's tools, so that error messages are the same. A schema is compiled when its route is first called: compiling all would take a third
 * of the server's start time.
 */
export const validate: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  let validator: Validator | undefined
  return (value: unknown) => {
    validator ??= Compile(schema)
    if (validator.Check(value)) return true
    const errors = toFieldErrors(boundedErrors(validator, value), '')
    return { error: invalid(httpPart === 'querystring' ? errors.map(inQuery) : errors) }
  }
}

/** Words the message for a query. */
const inQuery = <T extends { message: string }>(error: T): T => ({
  ...error,
  message: error.message.replace('is not a known field', 'is not a query parameter of this route'),
})

/** For bodies that the engine validates: the schema is only for the reference. */
export const unchecked = () => () => true
