import type { JobEvent } from '../../model/job.ts'
import type { JobStatus } from '../../model/job-status.ts'
import type { Notification, RunEvent } from '../../model/workflow.ts'
import type { SumMark } from './analytics/sums.ts'
import type { Database } from './database.ts'
import type { RunChanges } from './runs/run-changes.ts'
import type { Effects, Hint } from './threads/calls.ts'

/** What a write operation works with: the connection, the time of its call, and where it says what it has done. */
export type Writer = {
  readonly db: Database
  readonly now: number
  readonly effects: EffectLog
  readonly memory: WriterMemory
  /** What the call has done to items of runs and has not yet settled. */
  readonly runs: RunChanges
}

/** What the one writer of a database knows without asking it. */
export type WriterMemory = {
  /** The position of the next job. A rolled back submit leaves a gap. */
  nextSeq: number
  /** The latest time at which a job was created; the clock may be behind it. */
  latestCreatedAt: number
  /** By their JSON text. Forgotten at a rollback. */
  readonly scopeSets: Map<string, number>
  /** Up to which end the sums of the past have been made; null: to be read. Forgotten at a rollback. */
  sumMark: SumMark | null
}

/** What events say of a job. */
export type EventSubject = {
  readonly id: string
  readonly workspace: string
  readonly kind: string
  readonly runId: string | null
  readonly workflowId: string | null
  readonly parentJobId: string | null
}

/** How much has been collected. */
type EffectMark = readonly [events: number, runEvents: number, notifications: number]

/** Collects what a commit will tell; a rolled back operation takes its part back. */
export class EffectLog {
  #events = ''
  #runEvents: RunEvent[] = []
  #notifications: Notification[] = []
  readonly #hints = new Set<Hint>()

  event(subject: EventSubject, status: JobStatus, statusReason: string | null, timestamp: number): void {
    const { id, workspace, kind, runId, workflowId, parentJobId } = subject
    const about = `${id}\t${workspace}\t${kind}\t${runId ?? ''}\t${workflowId ?? ''}\t${parentJobId ?? ''}`
    this.#events += `${about}\t${status}\t${statusReason ?? ''}\t${timestamp}\n`
  }

  runEvent(event: RunEvent): void {
    this.#runEvents.push(event)
  }

  notification(notification: Notification): void {
    this.#notifications.push(notification)
  }

  /** There may be something to claim, to wait for, to stop, … A hint too many does no harm: rollbacks leave it. */
  hint(what: Hint): void {
    this.#hints.add(what)
  }

  mark(): EffectMark {
    return [this.#events.length, this.#runEvents.length, this.#notifications.length]
  }

  rewind([events, runEvents, notifications]: EffectMark): void {
    this.#events = this.#events.slice(0, events)
    this.#runEvents.length = runEvents
    this.#notifications.length = notifications
  }

  take(): Effects {
    return {
      events: this.#events,
      runEvents: this.#runEvents,
      notifications: this.#notifications,
      hints: [...this.#hints],
    }
  }
}

/** From the text of `EffectLog`: one event a line, its fields between tabs, which no id, kind or status holds. */
export const decodeEvents = (text: string): readonly JobEvent[] => text.split('\n').slice(0, -1).map(decodeEvent)

const decodeEvent = (line: string): JobEvent => {
  const [jobId, workspace, kind, runId, workflowId, parentJobId, status, statusReason, timestamp] = line.split('\t')
  return {
    jobId,
    workspace,
    kind,
    runId: runId || null,
    workflowId: workflowId || null,
    parentJobId: parentJobId || null,
    status,
    statusReason: statusReason || null,
    timestamp: Number(timestamp),
  } as JobEvent
}
