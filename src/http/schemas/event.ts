import Type from 'typebox'
import { KINDS } from '../../model/kind.ts'
import { PLAIN_TEXT } from '../../model/patterns.ts'
import { strictObject, words } from './basics.ts'

const id = Type.Optional(Type.String({ maxLength: 64, pattern: PLAIN_TEXT }))

/** Prefixes of event types: `job.completed`, `run.failed`, `notification.workflow.terminated`. */
export const EVENT_GROUPS = ['job', 'run', 'notification'] as const
export type EventGroup = (typeof EVENT_GROUPS)[number]

export const EventQuery = strictObject({
  type: Type.Optional(words(EVENT_GROUPS)),
  job_id: id,
  run_id: id,
  workflow_id: id,
  kind: Type.Optional(words(KINDS)),
  token: Type.Optional(Type.String({ description: 'The token, for clients that cannot send headers.' })),
})
