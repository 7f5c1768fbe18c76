import type { EndedStatus } from '../../../model/job-status.ts'

/** What one call has done to the items of a run. */
export type RunChange = { completed: number; failed: number; cancelled: number }

/** Collects by run what a call has done to items, so that a batch counts and refills each run once. See `settleRuns`. */
export class RunChanges {
  /** Most calls touch no run. */
  #changes: Map<number, RunChange> | null = null

  /** An item has ended (`ended`), or has given up its slot, come due or joined. */
  note(runSeq: number, ended?: EndedStatus, count = 1): void {
    this.#changes ??= new Map()
    let change = this.#changes.get(runSeq)
    if (!change) {
      change = { completed: 0, failed: 0, cancelled: 0 }
      this.#changes.set(runSeq, change)
    }
    if (ended) change[ended] += count
  }

  /** All there is, which is forgotten here; null when there is nothing. */
  take(): ReadonlyMap<number, RunChange> | null {
    const changes = this.#changes
    this.#changes = null
    return changes
  }
}
