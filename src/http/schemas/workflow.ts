import Type from 'typebox'
import { NO_NUL, PLAIN_TEXT } from '../../model/patterns.ts'
import { SKIP_REASONS, WORKFLOW_STATES } from '../../model/workflow.ts'
import {
  choice,
  givenTime,
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

export const WorkflowPath = strictObject({ workflow: Type.String({ description: 'Id or name.' }) })

/** Fields that the server adds to a definition. A `PUT` ignores them, so that the answer to a `GET` can be sent back. */
const shown = {
  workflow_id: Id,
  state: choice(WORKFLOW_STATES),
  version: Type.Integer({ description: 'Incremented by every change.' }),
  consecutive_failures: Type.Integer(),
  items: Type.Integer({ description: 'Number of job bodies in the payload.' }),
  next_run_at: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'RFC 3339, UTC; null while the workflow is paused or terminated, or if no slot is left.',
  }),
  last_run_at: NullableTime,
  created_at: Time,
  updated_at: Time,
}
export const SHOWN_FIELDS: readonly string[] = Object.keys(shown)

/** The schema of `workflow-view.ts`: the definition, with secrets as `"***"`, and the current state. */
export const WorkflowSchema = Type.Object(
  { ...shown, name: Type.String(), max_consecutive_failures: NullableInteger },
  {
    title: 'Workflow',
    additionalProperties: true,
    description: 'Also has the fields of the definition, with secrets as "***".',
  },
)

export const WorkflowPage = Type.Object({
  workflows: Type.Array(WorkflowSchema, { description: 'Without payloads.' }),
  ...pageEnd,
})

export const WorkflowQuery = strictObject({
  state: Type.Optional(words(WORKFLOW_STATES)),
  query: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, pattern: PLAIN_TEXT, description: 'Part of the name.' }),
  ),
  ...pageQuery,
})

export const CheckAnswer = Type.Object({
  outcome: choice(['new', 'changed', 'unchanged'], 'What saving it would do.'),
})

export const TriggerBody = strictObject({
  scheduled_at: Type.Optional(givenTime('RFC 3339. Default: now.')),
  parameters: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      propertyNames: { maxLength: 255, pattern: NO_NUL },
      maxProperties: 1000,
      description: 'Merged over the parameters of every item.',
    }),
  ),
})

export const TerminateBody = strictObject({
  timeout_seconds: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 3600,
      description: "Time between SIGTERM and SIGKILL for running items. Default: each item's own grace period.",
    }),
  ),
})

export const SlotPage = Type.Object({
  slots: Type.Array(
    Type.Object({
      slot: Type.String({ description: 'The slot, or the first of several that were skipped for the same reason.' }),
      last_slot: Time,
      count: Type.Integer(),
      outcome: choice(['fired', 'skipped']),
      reason: Type.Unsafe<string | null>({ enum: [...SKIP_REASONS, null], type: ['string', 'null'] }),
      run_id: NullableText,
      recorded_at: Time,
    }),
  ),
  ...pageEnd,
})

const MOST_SLOTS = 1000

export const UpcomingQuery = strictObject({
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_SLOTS, description: '10 by default.' })),
})

export const Upcoming = Type.Object({
  state: choice(WORKFLOW_STATES),
  slots: Type.Array(Type.Object({ slot: Time, fire_at: Type.String({ description: 'The slot plus its jitter.' }) }), {
    description: 'Fewer than requested if the schedule ends; none while the workflow is paused or terminated.',
  }),
})

export const PreviewAnswer = Type.Object({ slots: Type.Array(Time, { description: 'Without jitter.' }) })

/** `schedule` is described and checked separately: the engine reads it like a workflow's schedule. */
export const previewFields = {
  after: Type.Optional(givenTime('RFC 3339, exclusive. Default: now.')),
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_SLOTS, description: '10 by default.' })),
}
