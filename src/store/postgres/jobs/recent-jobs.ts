import type { NewJob } from '../../../model/job.ts'

/** A job as submitted; it never changes. */
export type Submitted = NewJob & { readonly createdAt: number }

/** Total size limit, and the approximate size of a job besides its texts. */
const MOST_BYTES = 32 * 2 ** 20
const BYTES_OF_ONE = 1000

/**
 * Jobs this process has submitted that nobody has claimed yet. If the same process submits and runs a job, its claim need not read the job back;
 * other processes read it from the database.
 */
export class RecentJobs {
  readonly #jobs = new Map<string, Submitted>()
  #bytes = 0

  /** Call after their commit. */
  add(jobs: readonly NewJob[], createdAt: number): void {
    for (const job of jobs) {
      const entry = { ...job, createdAt }
      this.#jobs.set(job.id, entry)
      this.#bytes += sizeOf(entry)
    }
    for (const [id] of this.#jobs) {
      if (this.#bytes <= MOST_BYTES) break
      this.take(id)
    }
  }

  /** Returns the job and drops it. */
  take(id: string): Submitted | undefined {
    const job = this.#jobs.get(id)
    if (!job) return undefined
    this.#jobs.delete(id)
    this.#bytes -= sizeOf(job)
    return job
  }
}

const sizeOf = ({ spec, secrets }: NewJob): number => 2 * spec.length + (secrets?.byteLength ?? 0) + BYTES_OF_ONE
