import Type from 'typebox'
import { choice, givenTime, IdFilter, NullableNumber, NullableText, strictObject, Time } from './basics.ts'

const TREND_UNITS = ['hour', 'day'] as const

export const AnalyticsQuery = strictObject({
  from: Type.Optional(givenTime('RFC 3339, rounded down to the hour. Default: a day before `to`.')),
  to: Type.Optional(givenTime('RFC 3339, rounded up to the hour, at most 366 days after `from`. Default: now.')),
  workflow_id: Type.Optional(IdFilter),
  trend: Type.Optional(choice(TREND_UNITS, 'Default: hour up to three days, otherwise day. Days are UTC.')),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 500,
      description: 'Number of workflows, those with the most jobs first. Default: 50.',
    }),
  ),
})

const quantiles = (description: string) =>
  Type.Object({ p50: NullableNumber, p95: NullableNumber, p99: NullableNumber }, { description })

const figures = {
  jobs: Type.Object({
    completed: Type.Integer(),
    failed: Type.Integer(),
    cancelled: Type.Integer(),
  }),
  success_rate: Type.Unsafe<number | null>({
    type: ['number', 'null'],
    description: 'completed / (completed + failed), 0 to 1; null if there are none.',
  }),
  wait_ms: quantiles('From queued to the start of the last attempt.'),
  run_ms: quantiles('Duration of the last attempt.'),
  log_lines: Type.Integer(),
  lateness_ms: quantiles('Delay of runs after their slot was due.'),
  slots: Type.Object({ fired: Type.Integer(), skipped: Type.Integer() }),
}

export const Analytics = Type.Object({
  from: Time,
  to: Time,
  total: Type.Object(figures),
  workflows: Type.Array(
    Type.Object({
      workflow_id: Type.Unsafe<string | null>({
        type: ['string', 'null'],
        description: 'null: jobs of no workflow.',
      }),
      name: NullableText,
      ...figures,
    }),
  ),
  trend: Type.Object({
    unit: choice(TREND_UNITS),
    points: Type.Array(Type.Object({ start: Time, ...figures }), {
      description: 'Oldest first, including empty ones.',
    }),
  }),
})
