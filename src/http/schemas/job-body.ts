import Type, { type TSchema } from 'typebox'
import { apiProperties } from '../../executors/api/spec.ts'
import { commandDefinition } from '../../executors/command/definition.ts'
import { copyDefinition } from '../../executors/copy/definition.ts'
import { deleteDefinition } from '../../executors/delete/definition.ts'
import { httpDefinition } from '../../executors/http/definition.ts'
import { importDefinition } from '../../executors/import/definition.ts'
import type { KindDefinition } from '../../executors/kind-definition.ts'
import { populateDefinition } from '../../executors/populate/definition.ts'
import { queryDefinition } from '../../executors/query/definition.ts'
import { commonJobProperties } from '../../model/job-body.ts'

/** The kinds shown in the API reference. A new kind needs a line here. */
const DEFINITIONS: readonly Pick<KindDefinition, 'kind' | 'properties'>[] = [
  commandDefinition,
  httpDefinition,
  queryDefinition,
  importDefinition,
  populateDefinition,
  copyDefinition,
  deleteDefinition,
  { kind: 'api', properties: apiProperties },
]

const bodiesWith = (common: Readonly<Record<string, TSchema>>) =>
  DEFINITIONS.map(({ kind, properties }) =>
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
