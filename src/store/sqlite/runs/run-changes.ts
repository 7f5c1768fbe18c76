import type { EndedStatus } from '../../../model/job-status.ts'

/** What one call did to the items of a run. */
export type RunChange = { completed: number; failed: number; cancelled: number }

/** Collects changes to items per run, so that a batch counts and refills each run once. See `settleRuns`. */
export class RunChanges {
  /** null, because most calls touch no run. */
  #changes: Map<number, RunChange> | null = null

  /** An item has ended (`ended`), has given up its slot, come due or joined. */
  note(runSeq: number, ended?: EndedStatus, count = 1): void {
    this.#changes ??= new Map()
    let change = this.#changes.get(runSeq)
    if (!change) {
      change = { completed: 0, failed: 0, cancelled: 0 }
      this.#changes.set(runSeq, change)
    }
    if (ended) change[ended] += count
  }

  /** Returns everything collected and resets it; null if there is nothing. */
  take(): ReadonlyMap<number, RunChange> | null {
    const changes = this.#changes
    this.#changes = null
    return changes
  }
}
