import Type from 'typebox'
import { KINDS } from '../../model/kind.ts'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { DELIVERY_STATUSES } from '../../model/workflow.ts'
import {
  choice,
  Id,
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
  delivery_id: Type.String({ description: 'The same at every try: webhook-id.' }),
  job_id: Id,
  run_id: NullableText,
  workflow_id: NullableText,
  kind: choice(KINDS),
  sink_index: Type.Integer({
    description:
      'Position in the list of sinks as it was written, in the workflow, the item or the job: from 0, those that do not apply counted.',
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
      description: 'Where it goes, secrets as "***"; null when the job has been removed.',
    }),
  },
  { title: 'Delivery' },
)

export const DeliveryPage = Type.Object({
  deliveries: Type.Array(Type.Object(deliveryProperties)),
  ...pageEnd,
})

const id = Type.Optional(Type.String({ maxLength: 255, pattern: PLAIN_TEXT, description: 'An id.' }))

export const DeliveryQuery = strictObject({
  status: Type.Optional(words(DELIVERY_STATUSES)),
  job_id: id,
  run_id: id,
  workflow_id: id,
  ...pageQuery,
})
