import type { JobEvent } from '../../model/job.ts'
import type { JobStatus } from '../../model/job-status.ts'
import type { Effects } from './calls.ts'
import type { Database } from './database.ts'

/** What a write operation works with: the connection, the time of its call, and where it says what it has done. */
export type Writer = {
  readonly db: Database
  readonly now: number
  readonly effects: EffectLog
  readonly memory: WriterMemory
}

/** What the one writer of a database knows without asking it. */
export type WriterMemory = {
  /** The position of the next job. A rolled back submit leaves a gap. */
  nextSeq: number
  /** The latest time at which a job was created; the clock may be behind it. */
  latestCreatedAt: number
  /** By their JSON text. Forgotten at a rollback. */
  readonly scopeSets: Map<string, number>
}

/** The fields that events are made of, in the order in which they cross to the other thread. */
export type EventSubject = {
  readonly id: string
  readonly workspace: string
  readonly kind: string
  readonly runId: string | null
  readonly workflowId: string | null
  readonly parentJobId: string | null
}

const EVENT_FIELDS = 9

/** Collects what a commit will tell; a rolled back operation takes its part back. */
export class EffectLog {
  readonly #events: unknown[] = []
  #queued = false
  #pending = false
  #cancel = false

  event(subject: EventSubject, status: JobStatus, statusReason: string | null, timestamp: number): void {
    const { id, workspace, kind, runId, workflowId, parentJobId } = subject
    this.#events.push(id, workspace, kind, runId, workflowId, parentJobId, status, statusReason, timestamp)
  }

  /** There may be something to claim, to wait for, or to stop. A hint too many does no harm: rollbacks leave it. */
  hint(what: 'queued' | 'pending' | 'cancel'): void {
    if (what === 'queued') this.#queued = true
    if (what === 'pending') this.#pending = true
    if (what === 'cancel') this.#cancel = true
  }

  mark(): number {
    return this.#events.length
  }

  rewind(mark: number): void {
    this.#events.length = mark
  }

  take(): Effects {
    return { events: this.#events, queued: this.#queued, pending: this.#pending, cancel: this.#cancel }
  }
}

export const decodeEvents = (flat: readonly unknown[]): JobEvent[] => {
  const events: JobEvent[] = []
  for (let at = 0; at < flat.length; at += EVENT_FIELDS)
    events.push({
      jobId: flat[at],
      workspace: flat[at + 1],
      kind: flat[at + 2],
      runId: flat[at + 3],
      workflowId: flat[at + 4],
      parentJobId: flat[at + 5],
      status: flat[at + 6],
      statusReason: flat[at + 7],
      timestamp: flat[at + 8],
    } as JobEvent)
  return events
}
