/** A claim slower than this is walking over dead rows that cannot be removed. */
const SLOW_MS = 5
/** One slow claim may be the machine's fault; this many in a row are the table's. */
const SLOW_IN_A_ROW = 3
/** In that state, claims start at the marks, and full scans take at most this share of the time. */
const FULL_SCAN_SHARE = 0.05
/** Late commits have a sequence below jobs already claimed, so each claim starts this far below: about ten submits. */
const SLACK = 200_000

type Claimed = {
  readonly rows: readonly { readonly priority: number; readonly sequence: number }[]
  readonly isFullScan: boolean
  readonly tookMs: number
  /** Monotonic ms. */
  readonly now: number
}

/**
 * Where claims start while a long transaction elsewhere prevents the removal of dead rows. Without it, each claim would walk over every job claimed
 * since that transaction began. Used only once claims have become slow. An occasional full scan finds jobs below the marks (late commits, retries,
 * new priorities), so the marks are only an optimization.
 */
export class LowWater {
  readonly #marks = new Map<number, number>()
  #fullScanDueAt = 0
  #slowScans = 0

  /** Known priorities, highest first, each with its start sequence; null: scan in full. */
  marks(now: number): { readonly priorities: readonly number[]; readonly sequences: readonly number[] } | null {
    if (this.#marks.size === 0 || now >= this.#fullScanDueAt) return null
    const marks = [...this.#marks].sort(([a], [b]) => b - a)
    return { priorities: marks.map(([priority]) => priority), sequences: marks.map(([, sequence]) => sequence) }
  }

  /** When the next claim scans in full; worth waiting for if a claim found too little above the marks. */
  get fullScanDueAt(): number {
    return this.#fullScanDueAt
  }

  claimed({ rows, isFullScan, tookMs, now }: Claimed): void {
    for (const { priority, sequence } of rows) this.#marks.set(priority, Math.max(0, sequence - SLACK))
    if (!isFullScan) return
    // A large claim legitimately takes time: only the time beyond 0.1 ms per job counts.
    const isSlow = tookMs - rows.length / 10 > SLOW_MS
    this.#slowScans = isSlow ? this.#slowScans + 1 : 0
    this.#fullScanDueAt = this.#slowScans >= SLOW_IN_A_ROW ? now + tookMs / FULL_SCAN_SHARE : 0
  }
}
