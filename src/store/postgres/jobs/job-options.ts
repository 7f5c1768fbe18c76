import type { NewJob } from '../../../model/job.ts'
import { SINGLE_JOB_RETRY } from '../../../model/retry.ts'

/** Fields that are only returned and never queried: one column instead of five, null for the defaults. */
export type JobOptions = Pick<NewJob, 'retry' | 'restartable' | 'timeoutMs' | 'graceMs' | 'rerunOf' | 'sinks'>

const DEFAULTS: JobOptions = Object.freeze({
  retry: SINGLE_JOB_RETRY,
  restartable: true,
  timeoutMs: null,
  graceMs: null,
  rerunOf: null,
  sinks: [],
})

const DEFAULT_RETRY = JSON.stringify(SINGLE_JOB_RETRY)

const isDefault = ({ retry, restartable, timeoutMs, graceMs, rerunOf, sinks }: NewJob): boolean =>
  restartable &&
  sinks.length === 0 &&
  timeoutMs === null &&
  graceMs === null &&
  rerunOf === null &&
  (retry === SINGLE_JOB_RETRY || JSON.stringify(retry) === DEFAULT_RETRY)

export const toOptions = (job: NewJob): string | null => {
  if (isDefault(job)) return null
  const { retry, restartable, timeoutMs, graceMs, rerunOf, sinks } = job
  const common = { retry, restartable, timeoutMs, graceMs, rerunOf }
  return JSON.stringify(sinks.length === 0 ? common : { ...common, sinks })
}

export const fromOptions = (text: string | null): JobOptions =>
  text === null ? DEFAULTS : { ...DEFAULTS, ...(JSON.parse(text) as Partial<JobOptions>) }
