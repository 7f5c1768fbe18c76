/**
 * Calls in flight that make jobs claimable. PostgreSQL may answer a claim before the submit it found its jobs by, on
 * another connection; the claim then waits for that call, so that events of a job are told in order and nobody ends a
 * job whose submit has not been answered.
 */
export class QueueingCalls {
  readonly #ofJobs = new Map<Promise<unknown>, readonly { readonly id: string }[]>()
  readonly #ofAny = new Set<Promise<unknown>>()

  /** A call that makes these jobs and no others claimable. */
  async ofJobs<T>(jobs: readonly { readonly id: string }[], call: Promise<T>): Promise<T> {
    this.#ofJobs.set(call, jobs)
    try {
      return await call
    } finally {
      this.#ofJobs.delete(call)
    }
  }

  /** A call that may make any job claimable. */
  async ofAny<T>(call: Promise<T>): Promise<T> {
    this.#ofAny.add(call)
    try {
      return await call
    } finally {
      this.#ofAny.delete(call)
    }
  }

  /** Resolves when the calls in flight that may have queued these jobs are done. */
  async settled(jobs: readonly { readonly id: string }[]): Promise<void> {
    if (jobs.length === 0 || (this.#ofJobs.size === 0 && this.#ofAny.size === 0)) return
    const ids = new Set(jobs.map(job => job.id))
    const calls = [...this.#ofJobs].filter(([, queued]) => queued.some(job => ids.has(job.id)))
    await Promise.allSettled([...this.#ofAny, ...calls.map(([call]) => call)])
  }
}
