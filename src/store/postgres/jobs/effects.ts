import type { NewJob } from '../../../model/job.ts'
import type { Notification, RunEvent } from '../../../model/workflow.ts'
import type { Session } from '../session.ts'
import { type EventRow, toEvent } from './job-rows.ts'

/** What a transaction will have changed once it commits. Made anew for each try of it. */
export class Effects {
  /** Jobs whose status changed, in order. */
  readonly jobs: EventRow[] = []
  readonly runs: RunEvent[] = []
  readonly notifications: Notification[] = []
  /** Jobs that were made, with the time at which they were. */
  readonly made: { readonly jobs: readonly NewJob[]; readonly at: number }[] = []
  readonly #waiting = new Map<string, number>()
  /** A running job is to stop. */
  cancel = false
  /** Something waits for a time. */
  pending = false
  delivery = false
  schedule = false

  /** Jobs of this workspace that came to wait (`pending` or `queued`), or no longer do. */
  addWaiting(workspace: string, change: number): void {
    this.#waiting.set(workspace, (this.#waiting.get(workspace) ?? 0) + change)
  }

  /** After the commit. */
  tell({ signals, queueCounts, recentJobs }: Session): void {
    for (const { jobs, at } of this.made) recentJobs.add(jobs, at)
    for (const [workspace, change] of this.#waiting) queueCounts.add(workspace, change)
    signals.changed({
      queued: this.jobs.some(job => job.status === 'queued'),
      pending: this.pending,
      cancel: this.cancel,
      delivery: this.delivery,
      schedule: this.schedule,
      events: this.jobs.map(toEvent),
      runEvents: this.runs,
      notifications: this.notifications,
    })
  }
}
