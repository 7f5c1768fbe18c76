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

/** What events say of a job. */
export type EventSubject = {
  readonly id: string
  readonly workspace: string
  readonly kind: string
  readonly runId: string | null
  readonly workflowId: string | null
  readonly parentJobId: string | null
}

/** Collects what a commit will tell; a rolled back operation takes its part back. */
export class EffectLog {
  #events = ''
  #queued = false
  #pending = false
  #cancel = false

  event(subject: EventSubject, status: JobStatus, statusReason: string | null, timestamp: number): void {
    const { id, workspace, kind, runId, workflowId, parentJobId } = subject
    const about = `${id}\t${workspace}\t${kind}\t${runId ?? ''}\t${workflowId ?? ''}\t${parentJobId ?? ''}`
    this.#events += `${about}\t${status}\t${statusReason ?? ''}\t${timestamp}\n`
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
    this.#events = this.#events.slice(0, mark)
  }

  take(): Effects {
    return { events: this.#events, queued: this.#queued, pending: this.#pending, cancel: this.#cancel }
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
