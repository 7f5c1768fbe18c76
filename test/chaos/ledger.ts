import type { JobSort } from './job-sorts.ts'

/** What the servers have promised, and the requests they have not answered. */
export type Ledger = {
  readonly jobs: Map<string, Acknowledged>
  readonly submissions: Submission[]
}

/** A job whose submission was answered with 201. */
export type Acknowledged = {
  readonly jobId: string
  readonly sort: JobSort
  readonly lines: number
  /** `asked`: a cancel was sent and its answer was lost. `promised`: it was answered with 200. */
  cancel: 'none' | 'asked' | 'promised'
}

/** One request that submits jobs, all of which carry the label `submission: <label>`. */
export type Submission = {
  readonly label: string
  readonly size: number
  /** `acknowledged`: all of it is stored, once. `unknown`: all of it or nothing. */
  outcome: 'acknowledged' | 'unknown'
}

export const createLedger = (): Ledger => ({ jobs: new Map(), submissions: [] })
