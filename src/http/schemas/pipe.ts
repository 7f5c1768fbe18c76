import Type from 'typebox'
import { WRITE_MODES, type WriteMode } from '../../model/data-source.ts'
import { NO_NUL } from '../../model/patterns.ts'
import { ScheduleSchema } from '../../model/schedule/schedule-schema.ts'
import { choice, NullableText, pageEnd, strictObject, Time } from './basics.ts'
import { DataId, nameText } from './data-source.ts'

export const PipePath = strictObject({ pipe: Type.String({ description: 'Name or id.' }) })

const node = {
  name: nameText,
  sql: Type.String({
    minLength: 1,
    maxLength: 256 * 1024,
    pattern: NO_NUL,
    description: 'One SELECT over data sources, other pipes and earlier nodes.',
  }),
  materialize_into: Type.Optional(
    Type.String({
      maxLength: 1024,
      description:
        'The data source that stores its rows, updated with every append to the first data source in its FROM.',
    }),
  ),
  copy_into: Type.Optional(
    Type.String({ maxLength: 1024, description: 'The data source that copy jobs write its rows to.' }),
  ),
  mode: Type.Optional(choice<WriteMode>(WRITE_MODES, 'Of a copy node. Default: append.')),
  schedule: Type.Optional(
    Type.Object(ScheduleSchema.properties, {
      additionalProperties: false,
      description: "When a copy node runs, with the fields of a workflow's schedule.",
    }),
  ),
}

const shown = { pipe_id: DataId, created_at: Time, updated_at: Time }

const definition = {
  name: nameText,
  description: Type.Optional(
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      maxLength: 4096,
      pattern: NO_NUL,
      description: 'For people.',
    }),
  ),
  nodes: Type.Array(strictObject(node), {
    maxItems: 1000,
    description: '1 to 100 nodes. Reading the pipe returns the output of the last.',
  }),
}

export const NewPipeBody = strictObject(definition)

const ignored = Object.fromEntries(
  Object.keys(shown).map(name => [name, Type.Optional(Type.Unknown({ description: 'Ignored.' }))]),
)

export const PipeBody = strictObject({ ...definition, ...ignored })

export const PipeSchema = Type.Object(
  {
    pipe_id: shown.pipe_id,
    name: Type.String(),
    description: NullableText,
    nodes: Type.Array(
      Type.Object(
        { name: Type.String(), sql: Type.String() },
        { additionalProperties: true, description: 'Also has the fields that define its role.' },
      ),
    ),
    created_at: Time,
    updated_at: Time,
  },
  { title: 'Pipe' },
)

export const PipePage = Type.Object({ pipes: Type.Array(PipeSchema), ...pageEnd })
