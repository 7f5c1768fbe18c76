/**
 * Calls in flight that make jobs claimable. PostgreSQL may answer a claim before the submit that created its jobs, on another connection. The claim
 * then waits for that submit, so that a job's events are reported in order and no job ends before its submit has been answered.
 */
export class QueueingCalls {
  readonly #ofJobs = new Map<Promise<unknown>, readonly { readonly id: string }[]>()
  readonly #ofAny = new Set<Promise<unknown>>()

  /** A call that makes only these jobs claimable. */
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

  /** Resolves when all calls in flight that may have queued these jobs have finished. */
  async settled(jobs: readonly { readonly id: string }[]): Promise<void> {
    if (jobs.length === 0 || (this.#ofJobs.size === 0 && this.#ofAny.size === 0)) return
    const ids = new Set(jobs.map(job => job.id))
    const calls = [...this.#ofJobs].filter(([, queued]) => queued.some(job => ids.has(job.id)))
    await Promise.allSettled([...this.#ofAny, ...calls.map(([call]) => call)])
  }
}
