import { toTimestamp } from '../kernel/clock.ts'
import { isJson } from '../kernel/is-json.ts'
import type { Job } from './job.ts'
import { type ViewContext, viewJob } from './job-view.ts'

/** JSON results up to this size are included in the delivery; larger ones are linked. */
export const INLINE_DELIVERY_BYTES = 2 * 1024 * 1024

/** Whether a delivery of this job includes the content of its result. */
export const isSentInline = ({ result }: Job): boolean =>
  result !== null && !result.isExpired && result.format === 'json' && result.bytes <= INLINE_DELIVERY_BYTES

/**
 * The body that sinks get for an ended job, as JSON text: `{type, timestamp, data: {workflow_id, run_id, job, parameters, result}}`. `result` is null or has
 * `format`, `bytes`, `sha256`, `url`, `expires_at`, and `value` if `content` (JSON text) is given. `job` is the API's view of it without its sinks. `timestamp`
 * is the end of the job, so that every try of a delivery sends the same body.
 */
export const deliveryBody = (job: Job, context: ViewContext & { readonly content: string | null }): string => {
  const view = viewJob(job, context)
  // The receiver at one sink must not learn about the others.
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

/** The object without its closing brace: more follows. */
const open = (value: object): string => JSON.stringify(value).slice(0, -1)

/**
 * The content is inserted unchanged: parsing and serializing it would cost milliseconds per MB and alter large integers. Content that is not JSON is left out;
 * otherwise the whole delivery would be unreadable.
 */
const withValue = (result: string, content: string | null): string =>
  content === null || !isJson(content) ? result : `${result.slice(0, -1)},"value":${content}}`
