/**
 * Calls in flight that make jobs claimable. PostgreSQL may answer a claim before the submit it found its jobs by, on
 * another connection; the claim then waits for that call, so that events of a job are told in order and nobody ends a
 * job whose submit has not been answered.
 */
export class QueueingCalls {
  readonly #byJob = new Map<string, Promise<unknown>>()
  readonly #others = new Set<Promise<unknown>>()

  /** A call that makes these jobs and no others claimable. */
  async ofJobs<T>(jobIds: readonly string[], call: Promise<T>): Promise<T> {
    for (const id of jobIds) this.#byJob.set(id, call)
    try {
      return await call
    } finally {
      for (const id of jobIds) this.#byJob.delete(id)
    }
  }

  /** A call that may make any job claimable. */
  async ofAny<T>(call: Promise<T>): Promise<T> {
    this.#others.add(call)
    try {
      return await call
    } finally {
      this.#others.delete(call)
    }
  }

  /** Resolves when the calls in flight that may have queued these jobs are done. */
  async settled(jobIds: readonly string[]): Promise<void> {
    const calls = new Set(this.#others)
    if (this.#byJob.size > 0)
      for (const id of jobIds) {
        const call = this.#byJob.get(id)
        if (call) calls.add(call)
      }
    if (calls.size > 0) await Promise.allSettled(calls)
  }
}
