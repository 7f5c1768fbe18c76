import { toTimestamp } from '../kernel/clock.ts'
import { isJson } from '../kernel/is-json.ts'
import type { Job } from './job.ts'
import { type ViewContext, viewJob } from './job-view.ts'

/** JSON results of at most so many bytes are in the delivery itself; of others it has the address. */
export const INLINE_DELIVERY_BYTES = 2 * 1024 * 1024

/** Whether a delivery of this job holds the content of its result. */
export const isSentInline = ({ result }: Job): boolean =>
  result !== null && !result.isExpired && result.format === 'json' && result.bytes <= INLINE_DELIVERY_BYTES

/**
 * What sinks get of an ended job, as JSON text: `{type, timestamp, data: {workflow_id, run_id, job, parameters, result}}`.
 * `result` is null or has `format`, `bytes`, `sha256`, `url`, `expires_at`, and `value` when `content` is given (JSON text).
 * `job` is what the API shows of it, without its sinks. `timestamp` is the job's end, so that every try of a delivery says
 * the same.
 */
export const deliveryBody = (job: Job, context: ViewContext & { readonly content: string | null }): string => {
  const view = viewJob(job, context)
  // Who receives one of them is not to learn of the others.
  const { sinks: _, ...spec } = view.spec
  const head = {
    type: job.status === 'completed' ? 'job.completed' : 'job.failed',
    timestamp: toTimestamp(job.finishedAt ?? job.updatedAt),
  }
  const data = {
    workflow_id: job.workflowId,
    run_id: job.runId,
    job: { ...view, spec },
    parameters: view.spec.parameters ?? null,
  }
  const result = view.result === null ? 'null' : withValue(JSON.stringify(view.result), context.content)
  return `${open(head)},"data":${open(data)},"result":${result}}}`
}

/** The object without its last brace: something follows. */
const open = (value: object): string => JSON.stringify(value).slice(0, -1)

/**
 * The content goes in as it is: reading and writing it again would cost milliseconds per MB and change large integers.
 * What is not JSON after all is left out, rather than that the whole delivery is unreadable.
 */
const withValue = (result: string, content: string | null): string =>
  content === null || !isJson(content) ? result : `${result.slice(0, -1)},"value":${content}}`
