import type { EndedStatus } from '../../../model/job-status.ts'
import type { WorkspaceKey } from '../jobs/exclusive-keys.ts'

/** What a transaction did to the items of a run, besides moving them. */
export type RunChange = { completed: number; failed: number; cancelled: number; added: number }

/** Collects changes per run, so that a batch counts and refills each run once. */
export class RunChanges {
  readonly #changes = new Map<string, RunChange>()

  /** An item has ended (`ended`), has given up its slot or now waits for one. */
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

/** What a transaction has touched and `settle` has not yet handled: items of runs, and exclusive keys that may be free. */
export class Touched {
  #runs = new RunChanges()
  #keys: WorkspaceKey[] = []

  get runs(): RunChanges {
    return this.#runs
  }

  freed(keys: readonly WorkspaceKey[]): void {
    this.#keys.push(...keys)
  }

  get isEmpty(): boolean {
    return this.#runs.isEmpty && this.#keys.length === 0
  }

  /** Returns everything collected and resets it. */
  take(): { readonly runs: RunChanges; readonly keys: readonly WorkspaceKey[] } {
    const taken = { runs: this.#runs, keys: this.#keys }
    this.#runs = new RunChanges()
    this.#keys = []
    return taken
  }
}
