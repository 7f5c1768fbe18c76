/**
 * The part of the store about what has been: sums by hour that stay when jobs are purged. They are made from ended jobs
 * after the fact, off the hot path, up to a watermark below which nothing can still be committed; a job purged before
 * that is summed by the transaction that purges it. What lies above the watermark is read from the jobs themselves, so an
 * answer is always complete.
 */
export interface AnalyticsStore {
  /** Moves the watermark on over at most `limit` ended jobs; call until it gives less. */
  summarize(input: { limit: number }): Promise<number>
  /** `from` and `to` are cut to whole hours for what lies below the watermark. */
  readAnalytics(input: {
    workspace: string
    from: number
    to: number
    /** By id. */
    workflowId?: string
  }): Promise<readonly HourSums[]>
  purgeSums(input: { hourBefore: number; limit: number }): Promise<number>
}

/** What happened in one hour to one workflow's jobs (`workflowId: null`: to jobs of no workflow). */
export type HourSums = {
  /** Start of the hour, epoch ms UTC; jobs count in the hour in which they ended, slots in that in which they fired. */
  readonly hour: number
  readonly workflowId: string | null
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly logLines: number
  /** From queued to the start of the last attempt, ms. */
  readonly wait: Histogram
  /** Of the last attempt, ms. */
  readonly run: Histogram
  /** From the instant a slot was to fire (with its jitter) to its run, ms. */
  readonly lateness: Histogram
  readonly slotsFired: number
  readonly slotsSkipped: number
}

/** Counts by bucket of `model/histogram.ts`; sparse. */
export type Histogram = Readonly<Record<number, number>>
