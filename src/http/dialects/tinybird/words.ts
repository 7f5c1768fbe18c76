import type { Job } from '../../../model/job.ts'
import type { JobStatus } from '../../../model/job-status.ts'
import type { Kind } from '../../../model/kind.ts'

/** The job kinds in this API, by its own names. Jobs of other kinds are invisible to it. */
export const KINDS_BY_WORD = {
  import: 'import',
  populateview: 'populate',
  copy: 'copy',
  query: 'query',
  delete_data: 'delete',
} as const satisfies Readonly<Record<string, Kind>>

/** This API's name for a kind. */
export type KindWord = keyof typeof KINDS_BY_WORD
/** A kind that this API shows. */
export type DataKind = (typeof KINDS_BY_WORD)[KindWord]
/** A job that this API shows. */
export type DataJob = Job & { readonly kind: DataKind }

/** All of its names for kinds. */
export const KIND_WORDS = Object.keys(KINDS_BY_WORD) as readonly KindWord[]
/** All kinds that it shows. */
export const DATA_KINDS = Object.values(KINDS_BY_WORD) as readonly DataKind[]

/** Whether this API shows jobs of that kind. */
export const isDataJob = (job: Job): job is DataJob => (DATA_KINDS as readonly Kind[]).includes(job.kind)

/** Its name for a kind. */
export const wordOfKind = (kind: DataKind): KindWord => KIND_WORDS.find(word => KINDS_BY_WORD[word] === kind)!

/** The statuses of jobs that each of its statuses stands for. */
export const STATUSES_BY_WORD = {
  waiting: ['pending', 'queued'],
  working: ['running'],
  done: ['completed'],
  error: ['failed'],
  cancelling: ['cancelling'],
  cancelled: ['cancelled'],
} as const satisfies Readonly<Record<string, readonly JobStatus[]>>

/** This API's name for a status. */
export type StatusWord = keyof typeof STATUSES_BY_WORD

/** All of its names for statuses. */
export const STATUS_WORDS = Object.keys(STATUSES_BY_WORD) as readonly StatusWord[]

/** Its name for a status. */
export const wordOfStatus = (status: JobStatus): StatusWord =>
  STATUS_WORDS.find(word => (STATUSES_BY_WORD[word] as readonly JobStatus[]).includes(status))!

/** `2020-12-04 15:08:33.214000`, UTC: with microseconds as in Tinybird, although the server does not measure them. */
export const wordOfTime = (epochMs: number): string =>
  new Date(epochMs).toISOString().replace('T', ' ').replace('Z', '000')

/** Waiting or working. Tinybird can cancel only populates while they work; here all jobs can be cancelled. */
export const isCancellable = ({ status }: Pick<Job, 'status'>): boolean => {
  const word = wordOfStatus(status)
  return word === 'waiting' || word === 'working'
}
