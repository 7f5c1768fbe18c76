import type { JobEvent } from '../../model/job.ts'
import type { JobStatus } from '../../model/job-status.ts'
import type { Notification, RunEvent } from '../../model/workflow.ts'
import type { SumMark } from './analytics/sums.ts'
import type { Database } from './database.ts'
import type { RunChanges } from './runs/run-changes.ts'
import type { Effects, Hint } from './threads/calls.ts'

/** Context of a write operation: the connection, the time of its call, and where it records its effects. */
export type Writer = {
  readonly db: Database
  readonly now: number
  readonly effects: EffectLog
  readonly memory: WriterMemory
  /** The call's changes to items of runs that are not yet settled. */
  readonly runs: RunChanges
}

/** State that the database's only writer caches in memory. */
export type WriterMemory = {
  /** Position of the next job. A rolled-back submit leaves a gap. */
  nextSeq: number
  /** The latest creation time of any job; the clock may be behind it. */
  latestCreatedAt: number
  /** Keyed by JSON text. Cleared on rollback. */
  readonly scopeSets: Map<string, number>
  /** How far analytics sums are complete; null: not read yet. Cleared on rollback. */
  sumMark: SumMark | null
}

/** The fields of a job that events report. */
export type EventSubject = {
  readonly id: string
  readonly workspace: string
  readonly kind: string
  readonly runId: string | null
  readonly workflowId: string | null
  readonly parentJobId: string | null
}

/** Amounts collected so far. */
type EffectMark = readonly [events: number, runEvents: number, notifications: number]

/** Collects what to emit after a commit; a rolled-back operation's part is removed. */
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

  /** There may be something to claim, to wait for, to stop, … An extra hint does no harm, so rollbacks keep it. */
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

/** Decodes the text of `EffectLog`: one event per line, fields separated by tabs, which no id, kind or status contains. */
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
