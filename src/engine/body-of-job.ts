import type { NewJob } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { Sink } from '../model/sink.ts'
import type { SinkRule } from '../model/workflow.ts'
import type { CheckedBody } from './check-body.ts'

/** The part of a job that its body defines. The rest says who created it and when. */
export type BodyOfJob = Omit<
  NewJob,
  'id' | 'workspace' | 'trigger' | 'workflowId' | 'runId' | 'parentJobId' | 'rerunOf' | 'scopes'
>

/** Converts a checked body to its part of a job. `seal` encrypts the secret values. */
export const toBodyOfJob = (body: CheckedBody, seal: (secrets: CheckedBody['secrets']) => Uint8Array): BodyOfJob => ({
  kind: body.definition.kind,
  name: body.fields.name ?? null,
  labels: body.fields.labels ?? {},
  queue: body.fields.queue ?? 'default',
  priority: body.fields.priority ?? 0,
  exclusiveKey: body.exclusiveKey,
  ...body.subjects,
  scheduledAt: body.scheduledAt,
  timeoutMs: body.timeoutMs,
  graceMs: body.fields.grace_seconds === undefined ? null : Math.round(body.fields.grace_seconds * 1000),
  retry: body.retry,
  restartable: body.fields.restartable ?? true,
  spec: body.spec,
  secrets: Object.keys(body.secrets).length === 0 ? null : seal(body.secrets),
  sinks: body.fields.sinks === undefined ? NO_SINKS : sinkRules(body.fields.sinks, body.definition.kind, body.fields),
})

const NO_SINKS: readonly SinkRule[] = Object.freeze([])

const sinkRules = (sinks: readonly Sink[], kind: Kind, body: object): readonly SinkRule[] =>
  sinks.flatMap((sink, index) =>
    sinkApplies(sink, kind, body) ? [{ index, onFailure: sink.skip_on_fail !== true }] : [],
  )

/** `apis_to_send` selects functions by name; without it, the sink applies to every job. */
const sinkApplies = (sink: Sink, kind: Kind, body: object): boolean =>
  sink.apis_to_send === undefined || (kind === 'api' && sink.apis_to_send.includes((body as { api: string }).api))
