import type { NewJob } from '../../../model/job.ts'

/** A job as it was submitted; it never changes. */
export type Submitted = NewJob & { readonly createdAt: number }

/** What all of them together may take, and about what one takes beside its texts. */
const MOST_BYTES = 32 * 2 ** 20
const BYTES_OF_ONE = 1000

/**
 * Jobs this process has submitted and nobody has claimed yet. Where one process submits and runs them, a claim need not
 * read back what went in a moment ago; another finds what it needs in the database.
 */
export class RecentJobs {
  readonly #jobs = new Map<string, Submitted>()
  #bytes = 0

  /** After their commit. */
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

  /** The job, which is not kept any longer. */
  take(id: string): Submitted | undefined {
    const job = this.#jobs.get(id)
    if (!job) return undefined
    this.#jobs.delete(id)
    this.#bytes -= sizeOf(job)
    return job
  }
}

const sizeOf = ({ spec, secrets }: NewJob): number => 2 * spec.length + (secrets?.byteLength ?? 0) + BYTES_OF_ONE
