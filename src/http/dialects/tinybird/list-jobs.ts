import type { Catalogue } from '../../../model/catalogue.ts'
import type { Job } from '../../../model/job.ts'
import type { JobFilters, Store } from '../../../store/store.ts'
import { choiceField, textField, timeField } from './fields.ts'
import {
  DATA_KINDS,
  type DataJob,
  isDataJob,
  KIND_WORDS,
  KINDS_BY_WORD,
  type KindWord,
  STATUS_WORDS,
  STATUSES_BY_WORD,
  type StatusWord,
} from './words.ts'

/** The parameters of `GET /jobs`. */
export const LIST_FIELDS = {
  kind: choiceField(KIND_WORDS, 'Only jobs of this kind.'),
  status: choiceField(STATUS_WORDS, 'Only jobs with this status.'),
  pipe_id: textField('Only jobs of this pipe.'),
  pipe_name: textField('Only jobs of this pipe.'),
  created_after: timeField('ISO 8601.'),
  created_before: timeField('ISO 8601.'),
} as const

type Filters = {
  readonly kind?: KindWord
  readonly status?: StatusWord
  readonly pipe_id?: string
  readonly pipe_name?: string
  readonly created_after?: number
  readonly created_before?: number
}

/** The most jobs in the list. */
const MOST_JOBS = 100
/** How long after its creation this API shows a job. */
const KNOWN_MS = 48 * 3_600_000

/** Whether this API shows the job. */
export const isKnown = (job: Job, now: number): job is DataJob => isDataJob(job) && job.createdAt >= now - KNOWN_MS

type Input = {
  readonly store: Store
  readonly workspace: string
  readonly catalogue: Catalogue
  readonly filters: Filters
}

/** The newest 100 matching jobs of the last 48 hours, newest first. */
export const listJobs = async ({ store, workspace, catalogue, filters }: Input): Promise<readonly DataJob[]> => {
  const oldest = (await store.now()) - KNOWN_MS
  const sought: JobFilters = {
    kind: filters.kind === undefined ? DATA_KINDS : [KINDS_BY_WORD[filters.kind]],
    ...(filters.status !== undefined && { status: STATUSES_BY_WORD[filters.status] }),
    // The store's filter is exclusive.
    createdAfter: Math.max(filters.created_after ?? Number.NEGATIVE_INFINITY, oldest - 1),
    ...(filters.created_before !== undefined && { createdBefore: filters.created_before }),
  }
  const names = namesOfPipe(catalogue, filters)
  if (names === null) return newest(store, workspace, sought)
  const found = await Promise.all([...names].map(pipe => newest(store, workspace, { ...sought, pipe })))
  return found.flat().toSorted(newerFirst).slice(0, MOST_JOBS)
}

/** A job refers to its pipe by name or id, as submitted. null: any pipe. */
const namesOfPipe = ({ pipes }: Catalogue, { pipe_id: id, pipe_name: name }: Filters): ReadonlySet<string> | null => {
  const byId = id === undefined ? null : new Set([id, pipes.find(pipe => pipe.id === id)?.name ?? id])
  const byName = name === undefined ? null : new Set([name, pipes.find(pipe => pipe.name === name)?.id ?? name])
  return byId !== null && byName !== null ? byId.intersection(byName) : (byId ?? byName)
}

const newest = async (store: Store, workspace: string, filters: JobFilters): Promise<readonly DataJob[]> => {
  const jobs: Job[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Store['listJobs']>> = await store.listJobs({
      workspace,
      filters,
      limit: MOST_JOBS - jobs.length,
      cursor,
    })
    jobs.push(...page.jobs)
    cursor = page.nextCursor
  } while (cursor !== null && jobs.length < MOST_JOBS)
  return jobs.filter(isDataJob)
}

const newerFirst = (one: Job, other: Job): number => other.createdAt - one.createdAt || (one.id < other.id ? 1 : -1)
