import Type, { type Static } from 'typebox'
import { conditionProperty, nameProperty } from '../data-properties.ts'

const Delete = Type.Object(
  {
    datasource: nameProperty('Name of the data source.'),
    condition: conditionProperty('An expression over its columns. Matching rows are deleted.'),
    dry_run: Type.Optional(Type.Boolean({ description: 'true: only count the rows.' })),
  },
  { additionalProperties: false, description: 'Deletes rows of a data source.' },
)

/** The fields that kind `delete` adds to a job body. */
export const deleteProperties = { delete: Delete } as const

export type DeleteSpec = { readonly delete: Static<typeof Delete> }
