import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { invalid } from '../kernel/errors.ts'
import { boundedErrors, toFieldErrors } from '../model/schema-errors.ts'

/**
 * Validates by the same means as the engine, so that both say what is wrong in the same words. A schema is compiled when
 * its route is first called: compiling all of them would be a third of the time the server takes to start.
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

/** In words that fit a query. */
const inQuery = <T extends { message: string }>(error: T): T => ({
  ...error,
  message: error.message.replace('is not a known field', 'is not a query parameter of this route'),
})

/** For bodies that the engine checks: there the schema is for the reference alone. */
export const unchecked = () => () => true
