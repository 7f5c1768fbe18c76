import { formatOf, type ImportFields } from '../../../executors/import/spec.ts'
import type { Catalogue } from '../../../model/catalogue.ts'
import { type DataSourceView, viewDataSource } from './data-source-view.ts'
import { type JobSpec, pipeOf, specOf, targetOf } from './job-spec.ts'
import { type DataJob, isCancellable, wordOfKind, wordOfStatus, wordOfTime } from './words.ts'

/** What answers need besides the job. */
export type JobContext = { readonly catalogue: Catalogue; readonly publicUrl: string }

/** The short form of a job, for the list. */
export const viewListedJob = (job: DataJob, { catalogue, publicUrl }: JobContext) => {
  const target = targetOf(catalogue, job, specOf(job))
  return {
    id: job.id,
    kind: wordOfKind(job.kind),
    status: wordOfStatus(job.status),
    created_at: wordOfTime(job.createdAt),
    updated_at: wordOfTime(job.updatedAt),
    job_url: urlOf(job, publicUrl),
    ...(target && { datasource: { id: target.found?.id ?? null, name: target.name } }),
    ...pipeOf(catalogue, job),
  }
}

/** A single job, with the fields of its kind. */
export const viewJob = (job: DataJob, { catalogue, publicUrl }: JobContext) => {
  const spec = specOf(job)
  return {
    kind: wordOfKind(job.kind),
    id: job.id,
    job_id: job.id,
    status: wordOfStatus(job.status),
    created_at: wordOfTime(job.createdAt),
    updated_at: wordOfTime(job.updatedAt),
    started_at: job.startedAt === null ? null : wordOfTime(job.startedAt),
    is_cancellable: isCancellable(job),
    job_url: urlOf(job, publicUrl),
    ...viewTarget(catalogue, job, spec),
    ...pipeOf(catalogue, job),
    ...VIEWS[job.kind](job, spec),
    statistics: viewStatistics(job),
    ...(job.status === 'failed' && { error: job.errorMessage ?? String(job.statusReason) }),
  }
}

const urlOf = ({ id }: DataJob, publicUrl: string): string => `${publicUrl}/v0/jobs/${id}`

/** null if the job counted no rows, as for a dry run. */
const viewStatistics = ({ statistics }: DataJob) =>
  statistics?.row_count === undefined ? null : { bytes: statistics.bytes ?? null, row_count: statistics.row_count }

const viewTarget = (
  catalogue: Catalogue,
  job: DataJob,
  spec: JobSpec,
): { readonly datasource?: DataSourceView | { readonly id: null; readonly name: string } } => {
  const target = targetOf(catalogue, job, spec)
  if (target === null) return {}
  const { name, found } = target
  if (found === undefined) return { datasource: { id: null, name } }
  const datasource = viewDataSource(catalogue, { ...found, updatedAt: Math.max(found.updatedAt, writtenAt(job, spec)) })
  return { datasource: spec.import === undefined ? datasource : { ...datasource, ...viewSource(job, spec.import) } }
}

/** When the job changed rows; 0: it did not. The catalogue's time changes only with its definition, not with every write. */
const writtenAt = (job: DataJob, spec: JobSpec): number =>
  job.status === 'completed' && spec.delete?.dry_run !== true ? job.updatedAt : 0

/** The format of the imported content, and its delimiter if it was given or detected. */
const viewSource = ({ statistics }: DataJob, fields: ImportFields) => {
  const type = formatOf(fields)
  const delimiter = statistics?.delimiter ?? fields.delimiter
  return { type, headers: type === 'csv' && delimiter !== undefined ? { cached_delimiter: String(delimiter) } : {} }
}

type ViewOfKind = (job: DataJob, spec: JobSpec) => Readonly<Record<string, unknown>>

const VIEWS: Readonly<Record<DataJob['kind'], ViewOfKind>> = {
  import: (job, spec) => ({
    mode: modeOf(spec),
    import_id: job.id,
    url: shownUrl(spec.import?.url ?? ''),
    quarantine_rows: job.statistics?.quarantine_rows ?? 0,
    invalid_lines: job.statistics?.invalid_lines ?? 0,
  }),
  populate: job => ({ populateview_id: job.id, ...viewSteps(job) }),
  copy: (job, spec) => ({ copy_id: job.id, ...(spec.copy?.mode && { mode: spec.copy.mode }) }),
  query: (_job, spec) => (spec.mode === undefined ? {} : { mode: spec.mode }),
  delete: (job, spec) => ({
    delete_id: job.id,
    delete_condition: spec.delete?.condition ?? '',
    ...(spec.delete?.dry_run
      ? { rows_to_be_deleted: job.statistics?.rows_to_be_deleted ?? null }
      : { rows_affected: job.statistics?.rows_deleted ?? null }),
  }),
}

/** The URL without its password. Uploaded content has no URL of the caller's. */
const shownUrl = (text: string): string | null => {
  const url = URL.parse(text)
  if (url === null || url.protocol === 'upload:') return null
  if (url.password === '') return text
  url.password = '***'
  return url.href
}

const modeOf = ({ import: fields }: JobSpec): string => {
  const mode = fields?.mode ?? 'append'
  return fields?.create === true && mode === 'append' ? 'create' : mode
}

/** The progress is the share of steps that have started, as in the document's example. An empty source has no steps. */
const viewSteps = ({ progress, status: ofJob }: DataJob) => {
  const steps = progress?.steps ?? []
  const begun = steps.filter(({ status }) => status !== 'waiting').length
  const share = steps.length === 0 ? Number(ofJob === 'completed') : begun / steps.length
  return {
    query_id: steps[0]?.id ?? null,
    queries: steps.map(({ id, status }) => ({ query_id: id, status })),
    progress_percentage: toFloat(share * 100),
  }
}

declare global {
  interface JSON {
    /** A value that `JSON.stringify` writes as this text. From ECMAScript 2026; missing in TypeScript's libraries. */
    rawJSON(text: string): unknown
  }
}

/** Writes `50.0`: some clients take `50` for another type of number. */
const toFloat = (value: number): unknown => (Number.isInteger(value) ? JSON.rawJSON(`${value}.0`) : value)
