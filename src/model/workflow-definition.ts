import Type, { type Static, type TSchema } from 'typebox'
import { labels, RetrySchema, sinksProperty } from './job-body.ts'
import { ENVIRONMENT_NAME, NO_NUL, PLAIN_TEXT } from './patterns.ts'
import { ScheduleSchema } from './schedule/schedule-schema.ts'

/** Default of the items of a run that run at once (Intuned document). */
export const DEFAULT_MAX_CONCURRENT = 5

const Configuration = Type.Object(
  {
    retry: Type.Optional(RetrySchema),
    max_concurrent_requests: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: `Items of a run at once; ${DEFAULT_MAX_CONCURRENT} by default.`,
      }),
    ),
  },
  { additionalProperties: false, description: 'How to run the items.' },
)

/** All fields of a workflow except its payload. */
const properties = {
  name: Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: PLAIN_TEXT,
    description: 'Unique in the workspace. Not a UUID, because URLs accept the name instead of the id.',
  }),
  description: Type.Optional(Type.String({ maxLength: 4096, pattern: NO_NUL })),
  labels: Type.Optional(labels),
  environment: Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: 128 * 1024, pattern: NO_NUL }), {
      propertyNames: { minLength: 1, maxLength: 1024, pattern: ENVIRONMENT_NAME },
      additionalProperties: false,
      maxProperties: 1000,
      description: "For every item whose kind has an environment; an item's own values take precedence.",
    }),
  ),
  configuration: Type.Optional(Configuration),
  schedule: Type.Optional(ScheduleSchema),
  sinks: Type.Optional(sinksProperty),
  max_consecutive_failures: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description: 'Terminate the workflow after this many failed runs in a row; null: never.',
    }),
  ),
}

const payloadOf = (item: TSchema) =>
  Type.Array(item, { minItems: 1, description: 'The items of a run: job bodies without scheduled_at.' })

/** The schema of a workflow for editors and readers of the API. Its payload consists of bodies with the schema `item`, the union of all kinds. */
export const workflowSchema = (item: TSchema) =>
  Type.Object(
    {
      ...properties,
      payload: payloadOf(item),
      schedule: Type.Optional(Type.Union([ScheduleSchema, Type.Null()])),
      max_consecutive_failures: Type.Optional(Type.Union([properties.max_consecutive_failures, Type.Null()])),
    },
    { additionalProperties: false, title: 'Workflow' },
  )

/** The schema that the engine checks, after fields that are null have been removed. Each body is checked by the schema of its kind when it becomes a job. */
export const WorkflowDefinitionSchema = Type.Object(
  { ...properties, payload: payloadOf(Type.Unknown()) },
  { additionalProperties: false },
)
type Shape = Static<typeof WorkflowDefinitionSchema>

/** What a workflow is created from (`api.md`, Workflows and runs). */
export type WorkflowDefinition = Readonly<Omit<Shape, 'payload'>> & {
  readonly payload: readonly Readonly<Record<string, unknown>>[]
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** What is wrong with a name that matches the schema; null: nothing. */
export const workflowNameFault = (name: string): string | null => {
  if (UUID.test(name)) return 'must not look like a UUID'
  if (!name.isWellFormed()) return 'must be well-formed Unicode'
  // These segments are dropped from the path of a URL.
  if (name === '.' || name === '..') return 'must not be "." or ".."'
  return null
}
