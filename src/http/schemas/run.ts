import Type from 'typebox'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { TRIGGERS } from '../../model/trigger.ts'
import { RUN_STATUSES } from '../../model/workflow.ts'
import {
  choice,
  createdFilters,
  Id,
  IdFilter,
  NullableText,
  NullableTime,
  pageEnd,
  pageQuery,
  strictObject,
  Time,
  words,
} from './basics.ts'

export const RunPath = strictObject({ run_id: Id })

const runProperties = {
  run_id: Id,
  workflow_id: Id,
  workflow_version: Type.Integer({ description: 'The version of the workflow in the snapshot.' }),
  trigger: choice(TRIGGERS),
  status: choice(RUN_STATUSES),
  status_reason: NullableText,
  scheduled_at: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'The slot, or the requested time of a manual run.',
  }),
  created_at: Time,
  started_at: NullableTime,
  finished_at: NullableTime,
  max_concurrent_requests: Type.Integer(),
  counts: Type.Object({
    pending: Type.Integer(),
    queued: Type.Integer(),
    running: Type.Integer({ description: 'Includes cancelling items.' }),
    completed: Type.Integer(),
    failed: Type.Integer(),
    cancelled: Type.Integer(),
  }),
  retry_of: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'The run whose failed items this run retries.',
  }),
}

/** The schema of `run-view.ts`. */
export const RunSchema = Type.Object(
  {
    ...runProperties,
    snapshot: Type.Record(Type.String(), Type.Unknown(), {
      description: 'The definition of the workflow at that time, with secrets as "***".',
    }),
  },
  { title: 'Run' },
)

/** A run without its snapshot, for lists and for answers to actions. */
export const ListedRun = Type.Object(runProperties, { title: 'ListedRun' })

export const RunPage = Type.Object({
  runs: Type.Array(ListedRun, { description: 'Without snapshots.' }),
  ...pageEnd,
})

const runFilters = {
  status: Type.Optional(words(RUN_STATUSES)),
  trigger: Type.Optional(choice(TRIGGERS)),
  ...createdFilters,
  ...pageQuery,
}

export const WorkflowRunQuery = strictObject(runFilters)
export const RunQuery = strictObject({
  workflow: Type.Optional(Type.String({ maxLength: 255, pattern: PLAIN_TEXT, description: 'Id or name.' })),
  workflow_id: Type.Optional(IdFilter),
  ...runFilters,
})

const triggered = { run_id: Id, status: choice(RUN_STATUSES) }
export const Triggered = Type.Object(triggered)
export const RetriedFailed = Type.Object({
  ...triggered,
  items_purged: Type.Integer({
    description: 'Number of failed items that were purged and are not in the new run.',
  }),
})
