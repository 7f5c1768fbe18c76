import Type, { type Static } from 'typebox'
import { ENVIRONMENT_NAME, NO_NUL } from '../../model/patterns.ts'

/** Body fields of kind `api` (`api.md`, Jobs). */
export const apiProperties = {
  api: Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'Name of a function: the path of its file below the functions folder, without extension.',
  }),
  parameters: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'The first argument of the function.' }),
  ),
  environment: Type.Optional(
    Type.Record(Type.String(), Type.String({ pattern: NO_NUL }), {
      additionalProperties: false,
      propertyNames: { pattern: ENVIRONMENT_NAME },
      description: 'ctx.environment of the function. Values whose name looks secret are stored encrypted.',
    }),
  ),
}

const ApiSpec = Type.Object(apiProperties)
export type ApiSpec = Static<typeof ApiSpec>
