import type { FastifyRequest } from 'fastify'
import { toTimestamp } from '../../kernel/clock.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { JobEvent } from '../../model/job.ts'
import type { Kind } from '../../model/kind.ts'
import type { App } from '../app.ts'
import type { LiveStreams } from '../live-streams.ts'
import { EventQuery } from '../schemas/event.ts'
import type { Services } from '../services.ts'

type Query = { readonly job_id?: string; readonly workflow_id?: string; readonly kind?: readonly Kind[] }

export const viewEvent = (event: JobEvent) => ({
  id: newId(),
  type: `job.${event.status}`,
  job_id: event.jobId,
  run_id: event.runId,
  workflow_id: event.workflowId,
  status: event.status,
  status_reason: event.statusReason,
  timestamp: toTimestamp(event.timestamp),
})
