import Type, { type Static } from 'typebox'
import { parseDuration } from '../kernel/quantity.ts'
import { readTimestamp } from '../kernel/read-timestamp.ts'
import { LABEL_KEY, PLAIN_TEXT, QUEUE_NAME } from './patterns.ts'
import { type RetryPolicy, SINGLE_JOB_RETRY } from './retry.ts'
import { SinkSchema } from './sink.ts'

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: PLAIN_TEXT })

/** `"5m"`, `"2 days"`, or a number of milliseconds (Intuned document). */
const Duration = Type.Union([Type.Number({ minimum: 0 }), Type.String({ maxLength: 64 })], {
  description: 'A duration such as "30s" or "1h30m", or a number of milliseconds.',
})

/** `retry` of a job body and of a workflow's configuration. */
export const RetrySchema = Type.Object(
  {
    maximum_attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    initial_interval: Type.Optional(Duration),
    maximum_interval: Type.Optional(Duration),
    backoff_coefficient: Type.Optional(Type.Number({ minimum: 1, maximum: 1000 })),
  },
  { additionalProperties: false, description: 'Retry policy for failures of the job itself.' },
)

/** The longest timeout, in seconds: a year. */
const LONGEST_SECONDS = 366 * 24 * 3600

/** `sinks` of a job body and of a workflow. */
export const sinksProperty = Type.Array(SinkSchema, {
  maxItems: 16,
  description: 'Who is notified when the job ends.',
})

/** For people, and for filters. */
export const labels = Type.Record(Type.String(), Type.String({ maxLength: 255, pattern: PLAIN_TEXT }), {
  propertyNames: { minLength: 1, maxLength: 128, pattern: LABEL_KEY },
  additionalProperties: false,
  maxProperties: 64,
})

/** The fields of every kind of job (`api.md`, Jobs). */
export const commonJobProperties = {
  name: Type.Optional(text(255)),
  labels: Type.Optional(labels),
  queue: Type.Optional(Type.String({ minLength: 1, maxLength: 128, pattern: QUEUE_NAME })),
  priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100, description: 'Higher runs first.' })),
  scheduled_at: Type.Optional(Type.String({ maxLength: 64, description: 'Start time, RFC 3339. Default: now.' })),
  timeout_seconds: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, maximum: LONGEST_SECONDS, description: 'Timeout of each attempt.' }),
  ),
  grace_seconds: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 3600,
      description: 'Time between SIGTERM and SIGKILL when the job is stopped. Default: 10.',
    }),
  ),
  retry: Type.Optional(RetrySchema),
  restartable: Type.Optional(Type.Boolean({ description: 'false: do not retry after a system failure.' })),
  secrets: Type.Optional(
    Type.Array(text(255), { maxItems: 256, description: 'Names of variables and headers whose values are secret.' }),
  ),
  sinks: Type.Optional(sinksProperty),
}

const CommonFields = Type.Object(commonJobProperties)
export type CommonFields = Static<typeof CommonFields>

/** A fault that a schema cannot find: the path, and what would be right. */
export type Fault = { readonly path: string; readonly message: string }

const HOUR = 3_600_000
/** A time up to this long ago means now. */
const PAST_TOLERANCE = 60_000
const FURTHEST_AHEAD = 366 * 24 * HOUR

/** Parses `scheduled_at`: epoch ms, null for now, or the fault. */
export const readScheduledAt = (value: string | undefined, now: number): number | null | Fault => {
  if (value === undefined) return null
  const read = readTimestamp(value)
  if (read.type === 'wrong') return { path: 'scheduled_at', message: read.message }
  const time = read.epochMs
  if (time < now - PAST_TOLERANCE) return { path: 'scheduled_at', message: 'must not be more than 60 seconds ago' }
  if (time > now + FURTHEST_AHEAD) return { path: 'scheduled_at', message: 'must not be more than a year ahead' }
  return time <= now ? null : time
}

/** Parses `retry`; missing fields come from `base`. */
export const readRetry = (value: CommonFields['retry'], base: RetryPolicy = SINGLE_JOB_RETRY): RetryPolicy | Fault => {
  if (value === undefined) return base
  const initialInterval = readInterval(value.initial_interval, base.initialInterval)
  if (initialInterval === 'unreadable') return durationFault('initial_interval')
  const maximumInterval = readInterval(value.maximum_interval, base.maximumInterval)
  if (maximumInterval === 'unreadable') return durationFault('maximum_interval')
  return {
    maximumAttempts: value.maximum_attempts ?? base.maximumAttempts,
    backoffCoefficient: value.backoff_coefficient ?? base.backoffCoefficient,
    initialInterval,
    maximumInterval,
  }
}

/** All faulty durations of a `retry`, which may have other faults, too. */
export const retryFaults = (value: unknown): readonly Fault[] =>
  (['initial_interval', 'maximum_interval'] as const).flatMap(field => {
    const duration: unknown = Object(value)[field]
    return typeof duration === 'string' && readInterval(duration, null) === 'unreadable' ? [durationFault(field)] : []
  })

const readInterval = <T>(value: number | string | undefined, base: T): number | T | 'unreadable' => {
  if (value === undefined) return base
  if (typeof value === 'number') return Math.round(value)
  try {
    return Math.round(parseDuration(value))
  } catch {
    return 'unreadable'
  }
}

const durationFault = (field: string): Fault => ({
  path: `retry.${field}`,
  message: 'must be a duration such as "30s", "5m", "1h30m", or a number of milliseconds',
})

export const isFault = (value: unknown): value is Fault =>
  typeof value === 'object' && value !== null && 'path' in value && 'message' in value
