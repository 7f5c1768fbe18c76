import Type, { type TSchema } from 'typebox'
import { commandDefinition } from '../../executors/command/definition.ts'
import { commonJobProperties } from '../../model/job-body.ts'

/** A job body, for the reference. The engine checks bodies by the same properties, kind by kind. */
export const JobBody = Type.Object(
  { ...commonJobProperties, ...commandDefinition.properties } as Record<string, TSchema>,
  { title: 'JobBody', additionalProperties: false },
)

/** Jobs of one `POST /v1/jobs/batch`. */
export const MOST_JOBS = 10_000

export const BatchBody = Type.Object(
  { jobs: Type.Array(JobBody, { minItems: 1, maxItems: MOST_JOBS }) },
  { additionalProperties: false },
)
