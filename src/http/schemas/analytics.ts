import Type from 'typebox'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { choice, NullableNumber, NullableText, strictObject, Time } from './basics.ts'

const TREND_UNITS = ['hour', 'day'] as const

const time = (description: string) => Type.Optional(Type.String({ maxLength: 64, description }))

export const AnalyticsQuery = strictObject({
  from: time('RFC 3339, cut to its hour; a day before `to` when absent.'),
  to: time('RFC 3339, rounded up to the hour; now when absent. At most 366 days after `from`.'),
  workflow_id: Type.Optional(Type.String({ maxLength: 255, pattern: PLAIN_TEXT, description: 'An id.' })),
  trend: Type.Optional(choice(TREND_UNITS, 'hour up to three days, else day, when absent. Days are UTC.')),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 500, description: 'Of workflows, most jobs first; 50 by default.' }),
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
    description: 'Completed of completed and failed, 0 to 1; null when there are none.',
  }),
  wait_ms: quantiles('From queued to the start of the last attempt.'),
  run_ms: quantiles('Of the last attempt.'),
  log_lines: Type.Integer(),
  lateness_ms: quantiles('Of runs, from the instant their slot was to fire.'),
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
    points: Type.Array(Type.Object({ start: Time, ...figures }), { description: 'Oldest first, empty ones included.' }),
  }),
})
