import { type FieldError, invalidField, refuseFields } from '../../kernel/errors.ts'
import { isId } from '../../kernel/ids.ts'
import type { JobStatus } from '../../model/job-status.ts'
import type { Kind } from '../../model/kind.ts'
import type { Trigger } from '../../model/trigger.ts'
import type { JobFilters } from '../../store/store.ts'
import { readCreated } from '../time.ts'

/** The validated filters of a list. */
export type FilterFields = {
  readonly status?: readonly JobStatus[]
  readonly kind?: readonly Kind[]
  readonly trigger?: Trigger
  readonly workflow_id?: string
  readonly run_id?: string
  readonly parent_job_id?: string
  readonly name?: string
  readonly label?: readonly string[]
  readonly queue?: string
  readonly datasource?: string
  readonly pipe?: string
  readonly created_after?: string
  readonly created_before?: string
}

/** The store's filters; null if nothing can match, because an id is not well-formed. Throws `invalid`. */
export const toJobFilters = (fields: FilterFields): JobFilters | null => {
  const errors: FieldError[] = []
  const created = readCreated(fields, errors)
  const labels = fields.label?.map(text => readLabel(text, errors))
  refuseFields(errors)
  const ids = [fields.workflow_id, fields.run_id, fields.parent_job_id]
  if (ids.some(id => id !== undefined && !isId(id))) return null
  return {
    ...(fields.status && { status: fields.status }),
    ...(fields.kind && { kind: fields.kind }),
    ...(fields.trigger && { trigger: fields.trigger }),
    ...(fields.workflow_id !== undefined && { workflowId: fields.workflow_id }),
    ...(fields.run_id !== undefined && { runId: fields.run_id }),
    ...(fields.parent_job_id !== undefined && { parentJobId: fields.parent_job_id }),
    ...(fields.name !== undefined && { name: fields.name }),
    ...(labels && { labels }),
    ...(fields.queue !== undefined && { queue: fields.queue }),
    ...(fields.datasource !== undefined && { dataSource: fields.datasource }),
    ...(fields.pipe !== undefined && { pipe: fields.pipe }),
    ...created,
  }
}

const readLabel = (text: string, errors: FieldError[]): { key: string; value: string } => {
  const colon = text.indexOf(':')
  if (colon < 1) errors.push({ path: 'label', message: 'must be key:value' })
  return { key: text.slice(0, colon), value: text.slice(colon + 1) }
}

/** The filters of `POST /v1/jobs/cancel`, from its query and its body. Each may be in only one of them. */
export const mergeFilters = (query: FilterFields, body: FilterFields): FilterFields => {
  const twice = Object.keys(query).find(name => name in body)
  if (twice !== undefined) throw invalidField(twice, 'is in the query and in the body')
  return { ...query, ...body }
}
