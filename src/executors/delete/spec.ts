import Type, { type Static } from 'typebox'
import { conditionProperty, nameProperty } from '../data-properties.ts'

const Delete = Type.Object(
  {
    datasource: nameProperty('Name of the data source.'),
    condition: conditionProperty('An expression over its columns: rows for which it holds go.'),
    dry_run: Type.Optional(Type.Boolean({ description: 'true: rows are counted, and stay.' })),
  },
  { additionalProperties: false, description: 'Rows of a data source that are to go.' },
)

/** The own fields of a job body of kind `delete`. */
export const deleteProperties = { delete: Delete } as const

export type DeleteSpec = { readonly delete: Static<typeof Delete> }
