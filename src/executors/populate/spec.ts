import Type, { type Static } from 'typebox'
import { conditionProperty, nameProperty } from '../data-properties.ts'

const Populate = Type.Object(
  {
    pipe: nameProperty('Name or id of the pipe.'),
    node: Type.Optional(nameProperty('A materialized node. Default: the first.')),
    subset: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 0.1,
        description: 'A share of the rows, to try out a node; at most 2 million rows. Overrides condition.',
      }),
    ),
    condition: Type.Optional(
      conditionProperty('An expression over the columns of the source. Only matching rows are processed.'),
    ),
    truncate: Type.Optional(Type.Boolean({ description: 'true: replace the existing rows; false: add to them.' })),
  },
  { additionalProperties: false, description: 'Feeds the existing rows of the source to a materialized node.' },
)

/** The fields that kind `populate` adds to a job body. */
export const populateProperties = { populate: Populate } as const

export type PopulateSpec = { readonly populate: Static<typeof Populate> }
