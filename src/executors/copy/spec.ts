import Type, { type Static } from 'typebox'
import { modeProperty, nameProperty, parametersProperty } from '../data-properties.ts'

const Copy = Type.Object(
  {
    pipe: nameProperty('Name or id of the pipe.'),
    node: Type.Optional(nameProperty('A copy node. Default: the first.')),
    mode: Type.Optional(modeProperty),
    parameters: parametersProperty,
  },
  { additionalProperties: false, description: 'Runs a copy node and writes its rows to its data source.' },
)

/** The fields that kind `copy` adds to a job body. */
export const copyProperties = { copy: Copy } as const

export type CopySpec = { readonly copy: Static<typeof Copy> }
