/** A claim that takes longer than this walks over rows that are dead but cannot be removed. */
const SLOW_MS = 5
/** One slow claim may be the machine's doing; so many in a row are the table's. */
const SLOW_IN_A_ROW = 3
/** In that state, claims start at the marks, and full scans take at most this part of the time. */
const FULL_SCAN_SHARE = 0.05
/** What commits late has a sequence below what was claimed meanwhile; ten submits are looked at again each time. */
const SLACK = 200_000

type Claimed = {
  readonly rows: readonly { readonly priority: number; readonly sequence: number }[]
  readonly isFullScan: boolean
  readonly tookMs: number
  /** Monotonic ms. */
  readonly now: number
}

/**
 * Where claims begin to look while a long transaction elsewhere keeps dead rows from being removed: without it, each
 * claim would walk over every job claimed since that transaction began. Only claims that have become slow use it, and a
 * full scan now and then finds what lies below the marks (late commits, retries, priorities not seen before), so nothing
 * depends on them.
 */
export class LowWater {
  readonly #marks = new Map<number, number>()
  #fullScanDueAt = 0
  #slowScans = 0

  /** Known priorities, highest first, each with the sequence to begin at; null: scan in full. */
  marks(now: number): { readonly priorities: readonly number[]; readonly sequences: readonly number[] } | null {
    if (this.#marks.size === 0 || now >= this.#fullScanDueAt) return null
    const marks = [...this.#marks].sort(([a], [b]) => b - a)
    return { priorities: marks.map(([priority]) => priority), sequences: marks.map(([, sequence]) => sequence) }
  }

  /** When the next claim scans in full; a claim that found too little above the marks is worth repeating then. */
  get fullScanDueAt(): number {
    return this.#fullScanDueAt
  }

  claimed({ rows, isFullScan, tookMs, now }: Claimed): void {
    for (const { priority, sequence } of rows) this.#marks.set(priority, Math.max(0, sequence - SLACK))
    if (!isFullScan) return
    // An honest large claim takes its time too: what counts is the time beyond 0.1 ms a job.
    const isSlow = tookMs - rows.length / 10 > SLOW_MS
    this.#slowScans = isSlow ? this.#slowScans + 1 : 0
    this.#fullScanDueAt = this.#slowScans >= SLOW_IN_A_ROW ? now + tookMs / FULL_SCAN_SHARE : 0
  }
}
