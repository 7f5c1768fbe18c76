import Type from 'typebox'
import { WRITE_MODES, type WriteMode } from '../model/data-source.ts'
import { IDENTIFIER, NO_NUL } from '../model/patterns.ts'

/** The parameter names that ClickHouse accepts. */
const PARAMETER_NAME = '^[A-Za-z_][A-Za-z0-9_]{0,127}$'

export const parametersProperty = Type.Optional(
  Type.Record(Type.String(), Type.Unknown(), {
    propertyNames: { pattern: PARAMETER_NAME },
    maxProperties: 256,
    description: 'Values for {name:Type} in the query. The engine binds them; they are never parsed as SQL.',
  }),
)

/** Names or ids of data sources, pipes and nodes. */
export const nameProperty = (description: string) =>
  Type.String({ minLength: 1, maxLength: 128, pattern: IDENTIFIER, description })

export const modeProperty = Type.Unsafe<WriteMode>({
  type: 'string',
  enum: [...WRITE_MODES],
  description: 'append: add to the existing rows; replace: replace them.',
})

export const conditionProperty = (description: string) =>
  Type.String({ minLength: 1, maxLength: 65_536, pattern: NO_NUL, description })

/** Serializes jobs that write to the same data source. */
export const exclusiveKeyOf = (dataSource: string): string => `datasource:${dataSource}`
