/**
 * Analytics: hourly sums that outlive purged jobs. They are computed from ended jobs off the hot path, up to a watermark below which nothing can be
 * committed any more. A job purged before the watermark reaches it is summed by the transaction that purges it. Data above the watermark is read from
 * the jobs themselves, so an answer is always complete.
 */
export interface AnalyticsStore {
  /** Advances the watermark over at most `limit` ended jobs and returns their number; call again until it is below `limit`. */
  summarize(input: { limit: number }): Promise<number>
  /** Below the watermark, `from` and `to` are rounded to whole hours. */
  readAnalytics(input: {
    workspace: string
    from: number
    to: number
    /** Workflow id. */
    workflowId?: string
  }): Promise<readonly HourSums[]>
  purgeSums(input: { hourBefore: number; limit: number }): Promise<number>
}

/** Sums of one hour for one workflow's jobs (`workflowId: null`: jobs without a workflow). */
export type HourSums = {
  /** Start of the hour, epoch ms UTC. Jobs count in the hour they ended, slots in the hour they fired. */
  readonly hour: number
  readonly workflowId: string | null
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly logLines: number
  /** From queued to the start of the last attempt, in ms. */
  readonly wait: Histogram
  /** Duration of the last attempt, in ms. */
  readonly run: Histogram
  /** From the time a slot was due (with its jitter) to its run, in ms. */
  readonly lateness: Histogram
  readonly slotsFired: number
  readonly slotsSkipped: number
}

/** Counts by bucket of `model/histogram.ts`; sparse. */
export type Histogram = Readonly<Record<number, number>>
