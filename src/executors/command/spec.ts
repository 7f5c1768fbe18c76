import Type, { type Static } from 'typebox'
import { ENVIRONMENT_NAME, NO_NUL, RELATIVE_GLOB } from '../../model/patterns.ts'

const withoutNul = (options: { minLength?: number } = {}) => Type.String({ pattern: NO_NUL, ...options })

/** Body fields of kind `command` (`api.md`, Jobs). */
export const commandProperties = {
  command: Type.Union([withoutNul({ minLength: 1 }), Type.Array(withoutNul(), { minItems: 1, maxItems: 65_536 })], {
    description: 'A string for /bin/sh -c, or a list of arguments that is run directly.',
  }),
  working_dir: Type.Optional(
    Type.String({
      pattern: '^/[^\\u0000]*$',
      maxLength: 4096,
      description: 'An absolute path. Default: an empty directory for the attempt, removed afterwards.',
    }),
  ),
  environment: Type.Optional(
    Type.Record(Type.String(), withoutNul(), {
      additionalProperties: false,
      propertyNames: { pattern: ENVIRONMENT_NAME },
      description: 'Variables, added to a small clean base. Values whose name looks secret are stored encrypted.',
    }),
  ),
  stdin: Type.Optional(Type.String({ description: 'Text for standard input.' })),
  artifacts: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 1024, pattern: RELATIVE_GLOB }), {
      maxItems: 100,
      description:
        'Glob patterns relative to the working directory; matching files are collected when the attempt ends.',
    }),
  ),
}

const CommandSpec = Type.Object(commandProperties)
export type CommandSpec = Static<typeof CommandSpec>
