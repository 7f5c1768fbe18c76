import Type, { type Static } from 'typebox'
import { PLAIN_TEXT } from '../patterns.ts'
import { OVERLAPS } from '../workflow.ts'

/** The most entries of a kind in one schedule, and of values in one list. */
const MOST = 100

const Duration = Type.Union([Type.Number({ minimum: 0 }), Type.String({ minLength: 1, maxLength: 64 })], {
  description: 'A duration such as "30s" or "1h30m", or a number of milliseconds.',
})

const Time = Type.String({ maxLength: 64, description: 'RFC 3339, such as 2026-11-21T09:00:00Z.' })

const Single = Type.Union([Type.Integer(), Type.String({ minLength: 1, maxLength: 16 })], {
  description: 'A number (or a string of digits); for months and weekdays also a name.',
})

const Range = Type.Object(
  {
    start: Single,
    end: Type.Optional(Single),
    step: Type.Optional(Type.Union([Type.Integer(), Type.String({ minLength: 1, maxLength: 16 })])),
  },
  {
    additionalProperties: false,
    description: 'From start to end, inclusive, in steps of step. Default of end: start.',
  },
)

const field = (description: string) =>
  Type.Optional(
    Type.Union([Single, Range, Type.Array(Type.Union([Single, Range]), { minItems: 1, maxItems: MOST })], {
      description: `${description} "*", a value, {start, end, step} or a list of them.`,
    }),
  )

const calendarOf = (timeDefault: string) =>
  Type.Object(
    {
      year: field('1970 to 2199; any by default.'),
      month: field('1 to 12 or names; any by default.'),
      day_of_month: field('1 to 31; any by default.'),
      day_of_week: field('Names or 0 to 7, Sunday is 0 and 7; any by default.'),
      hour: field(`0 to 23; ${timeDefault}. With "*" hours are elapsed hours.`),
      minute: field(`0 to 59; ${timeDefault}.`),
      second: field(`0 to 59; ${timeDefault}.`),
      comment: Type.Optional(Type.String({ maxLength: 1000, pattern: PLAIN_TEXT, description: 'For people.' })),
    },
    { additionalProperties: false },
  )

const Interval = Type.Object(
  {
    every: Type.Union(Duration.anyOf, { description: 'From 1 s to 1 year.' }),
    offset: Type.Optional(Duration),
    anchor: Type.Optional(
      Type.String({
        maxLength: 64,
        description: '"epoch" (default), "creation" (of the workflow) or an RFC 3339 time.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Slots are the instants where time - anchor - offset is a multiple of every.',
  },
)

/** A schedule as written by users (`api.md`, Schedules). `readSchedule` checks what a schema cannot. */
export const ScheduleSchema = Type.Object(
  {
    intervals: Type.Optional(Type.Array(Interval, { maxItems: MOST })),
    calendars: Type.Optional(Type.Array(calendarOf('0 by default'), { maxItems: MOST })),
    crons: Type.Optional(
      Type.Array(Type.String({ maxLength: 256, description: 'Five or six fields, or a name such as "@daily".' }), {
        maxItems: MOST,
      }),
    ),
    time_zone: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'A name such as "Europe/Berlin". Default: UTC.' }),
    ),
    jitter: Type.Optional(Duration),
    exclude: Type.Optional(Type.Array(calendarOf('any by default'), { maxItems: MOST })),
    overlap: Type.Optional(
      Type.Enum([...OVERLAPS], { description: 'What happens to a slot while an earlier run is open. Default: skip.' }),
    ),
    catch_up: Type.Optional(Duration),
    start_at: Type.Optional(Time),
    end_at: Type.Optional(Time),
  },
  {
    additionalProperties: false,
    description: 'When a workflow runs: the union of its intervals, calendars and crons.',
  },
)

/** A schedule that matches the schema. */
export type ScheduleSpec = Static<typeof ScheduleSchema>
export type CalendarSpec = NonNullable<ScheduleSpec['calendars']>[number]
export type IntervalSpec = NonNullable<ScheduleSpec['intervals']>[number]
