import Type, { type Static } from 'typebox'
import { RESULT_FORMATS, type ResultFormat } from '../../model/job.ts'
import { NO_NUL } from '../../model/patterns.ts'
import { modeProperty, nameProperty, parametersProperty } from '../data-properties.ts'

/** Long enough for lists of ids; the engine would parse more, but nobody could read it. */
export const LONGEST_QUERY = 256 * 1024

export const formatProperty = Type.Optional(
  Type.Unsafe<ResultFormat>({ type: 'string', enum: [...RESULT_FORMATS], description: 'Format of the result.' }),
)

export const queryText = Type.String({
  minLength: 1,
  maxLength: LONGEST_QUERY,
  pattern: NO_NUL,
  description: 'One SELECT, in the SQL of ClickHouse.',
})

/** The fields that kind `query` adds to a job body (`docs/api/query.md`). */
export const queryProperties = {
  query: queryText,
  format: formatProperty,
  parameters: parametersProperty,
  datasource: Type.Optional(nameProperty('Data source to write the rows to, instead of a result.')),
  mode: Type.Optional(modeProperty),
} as const

const QuerySpec = Type.Object(queryProperties)
export type QuerySpec = Static<typeof QuerySpec>

/** Data tools load it without parsing. */
export const DEFAULT_FORMAT: ResultFormat = 'arrow'
/** For answers returned at once, which people and scripts read. */
export const DEFAULT_SQL_FORMAT: ResultFormat = 'json'
