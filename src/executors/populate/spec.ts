import Type, { type Static } from 'typebox'
import { conditionProperty, nameProperty } from '../data-properties.ts'

const Populate = Type.Object(
  {
    pipe: nameProperty('Name or id of the pipe.'),
    node: Type.Optional(nameProperty('Its materialized node; the first when absent.')),
    subset: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 0.1,
        description: 'A share of the rows, to try a node; 2 million at most. Wins over condition.',
      }),
    ),
    condition: Type.Optional(
      conditionProperty('An expression over the columns of the source: other rows are left out.'),
    ),
    truncate: Type.Optional(
      Type.Boolean({ description: 'true: instead of the rows that are there; false: beside them.' }),
    ),
  },
  { additionalProperties: false, description: 'A materialized node that is fed the whole history of its source.' },
)

/** The own fields of a job body of kind `populate`. */
export const populateProperties = { populate: Populate } as const

export type PopulateSpec = { readonly populate: Static<typeof Populate> }
