import type { Logger } from '../kernel/logger.ts'
import type { Lease, Progress } from '../model/job.ts'
import type { Store } from '../store/store.ts'

/** Writes the progress of one attempt. */
export type ProgressWriter = {
  readonly set: (progress: Progress) => void
  /** Resolves when the newest progress is stored. */
  readonly settle: () => Promise<void>
}

/** Stores only the newest progress: a value set during a write replaces the one waiting. */
export const createProgressWriter = (input: {
  store: Store
  logger: Logger
  workspace: string
  lease: Lease
}): ProgressWriter => {
  const { store, logger, workspace, lease } = input
  let next: Progress | null = null
  let writing: Promise<void> | null = null

  const write = async (): Promise<void> => {
    while (next !== null) {
      const progress = next
      next = null
      await store
        .setProgress({ workspace, jobId: lease.jobId, progress, lease })
        .catch(error => logger.warn({ err: error, job_id: lease.jobId }, 'progress could not be stored'))
    }
    writing = null
  }

  return {
    set: progress => {
      next = progress
      writing ??= write()
    },
    settle: async () => {
      await writing
    },
  }
}
