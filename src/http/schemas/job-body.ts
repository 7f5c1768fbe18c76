import Type, { type TSchema } from 'typebox'
import { apiProperties } from '../../executors/api/spec.ts'
import { DEFINITIONS } from '../../executors/definitions.ts'
import type { KindDefinition } from '../../executors/kind-definition.ts'
import { commonJobProperties } from '../../model/job-body.ts'

/** The kinds shown in the API reference. */
const KINDS: readonly Pick<KindDefinition, 'kind' | 'properties'>[] = [
  ...DEFINITIONS,
  { kind: 'api', properties: apiProperties },
]

const bodiesWith = (common: Readonly<Record<string, TSchema>>) =>
  KINDS.map(({ kind, properties }) =>
    Type.Object({ ...common, ...properties } as Record<string, TSchema>, { title: kind, additionalProperties: false }),
  )

/** A job body, for the reference. The engine validates bodies with the same properties, per kind. */
export const JobBody = Type.Union(bodiesWith(commonJobProperties), { title: 'JobBody' })

const { scheduled_at, ...itemProperties } = commonJobProperties
/** An item of a payload: a job body without its own start time. */
export const ItemBody = Type.Union(bodiesWith(itemProperties), { title: 'ItemBody' })

/** The most jobs in one `POST /v1/jobs/batch`. */
export const MOST_JOBS = 10_000

export const BatchBody = Type.Object(
  { jobs: Type.Array(JobBody, { minItems: 1, maxItems: MOST_JOBS }) },
  { additionalProperties: false },
)
