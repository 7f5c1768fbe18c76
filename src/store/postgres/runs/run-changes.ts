import type { EndedStatus } from '../../../model/job-status.ts'

/** What a transaction has done to the items of a run, beside moving them. */
export type RunChange = { completed: number; failed: number; cancelled: number; added: number }

/** Collects them by run, so that a batch counts and refills each run once. See `settle`. */
export class RunChanges {
  readonly #changes = new Map<string, RunChange>()

  /** An item has ended (`ended`), or has given up its slot or come to wait for one. */
  note(runId: string, ended?: EndedStatus, count = 1): void {
    const change = this.#of(runId)
    if (ended) change[ended] += count
  }

  added(runId: string, count: number): void {
    this.#of(runId).added += count
  }

  entries(): (readonly [string, RunChange])[] {
    return [...this.#changes]
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0
  }

  #of(runId: string): RunChange {
    let change = this.#changes.get(runId)
    if (!change) {
      change = { completed: 0, failed: 0, cancelled: 0, added: 0 }
      this.#changes.set(runId, change)
    }
    return change
  }
}
