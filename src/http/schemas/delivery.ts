import Type from 'typebox'
import { KINDS } from '../../model/kind.ts'
import { DELIVERY_STATUSES } from '../../model/workflow.ts'
import {
  choice,
  Id,
  IdFilter,
  NullableInteger,
  NullableText,
  NullableTime,
  pageEnd,
  pageQuery,
  strictObject,
  Time,
  words,
} from './basics.ts'

export const DeliveryPath = strictObject({ delivery_id: Id })

const deliveryProperties = {
  delivery_id: Type.String({ description: 'The webhook-id; the same for every try.' }),
  job_id: Id,
  run_id: NullableText,
  workflow_id: NullableText,
  kind: choice(KINDS),
  sink_index: Type.Integer({
    description:
      'Position in the list of sinks of the workflow, item or job as written, from 0, including sinks that do not apply.',
  }),
  status: choice(DELIVERY_STATUSES),
  tries: Type.Integer(),
  created_at: Time,
  next_try_at: NullableTime,
  last_try_at: NullableTime,
  delivered_at: NullableTime,
  last_status: NullableInteger,
  last_error: NullableText,
}

export const DeliverySchema = Type.Object(
  {
    ...deliveryProperties,
    sink: Type.Unsafe<Readonly<Record<string, unknown>> | null>({
      type: ['object', 'null'],
      additionalProperties: true,
      description: 'The sink, with secrets as "***"; null if the job has been deleted.',
    }),
  },
  { title: 'Delivery' },
)

export const DeliveryPage = Type.Object({
  deliveries: Type.Array(Type.Object(deliveryProperties)),
  ...pageEnd,
})

export const DeliveryQuery = strictObject({
  status: Type.Optional(words(DELIVERY_STATUSES)),
  job_id: Type.Optional(IdFilter),
  run_id: Type.Optional(IdFilter),
  workflow_id: Type.Optional(IdFilter),
  ...pageQuery,
})
