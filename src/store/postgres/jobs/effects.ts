import type { NewJob } from '../../../model/job.ts'
import type { Notification, RunEvent } from '../../../model/workflow.ts'
import type { Session } from '../session.ts'
import { type EventRow, toEvent } from './job-rows.ts'

/** What a transaction changes once it commits. Created anew for each try. */
export class Effects {
  /** Jobs whose status changed, in order. */
  readonly jobs: EventRow[] = []
  readonly runs: RunEvent[] = []
  readonly notifications: Notification[] = []
  /** Jobs created, with their creation time. */
  readonly made: { readonly jobs: readonly NewJob[]; readonly at: number }[] = []
  readonly #waiting = new Map<string, number>()
  /** A running job was asked to stop. */
  cancel = false
  /** Something has a new due time. */
  pending = false
  delivery = false
  schedule = false

  /** Change in the number of this workspace's waiting jobs (`pending` or `queued`). */
  addWaiting(workspace: string, change: number): void {
    this.#waiting.set(workspace, (this.#waiting.get(workspace) ?? 0) + change)
  }

  /** Call after the commit. */
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
