import type { JobEvent } from '../../model/job.ts'
import type { Notification, RunEvent } from '../../model/workflow.ts'
import type { StoreSignal } from '../store.ts'
import { EndedSubjects } from './ended-subjects.ts'

/** Notifications that a committed change may cause. */
export type Changes = {
  readonly queued?: boolean
  readonly pending?: boolean
  readonly cancel?: boolean
  readonly schedule?: boolean
  readonly delivery?: boolean
  readonly events?: readonly JobEvent[]
  readonly runEvents?: readonly RunEvent[]
  readonly notifications?: readonly Notification[]
  readonly logOf?: string
}

/** This process's signals: emitted here right after the commit and forwarded to other processes. */
export class Signals {
  readonly #listeners = new Set<(signal: StoreSignal) => void>()
  readonly #ended = new EndedSubjects()
  readonly #forward: (changes: Changes) => void
  #wake: NodeJS.Timeout | null = null

  constructor(forward: (changes: Changes) => void) {
    this.#forward = forward
  }

  on(listener: (signal: StoreSignal) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Call after a commit of this process. Events go first: a listener woken by another signal may cause the next events. */
  changed(changes: Changes): void {
    this.heard(changes)
    this.#forward(changes)
  }

  /** Emits changes made by another process. */
  heard(changes: Changes): void {
    const events = this.#ended.untold(changes.events ?? [], ({ jobId }) => jobId)
    const runEvents = this.#ended.untold(changes.runEvents ?? [], ({ runId }) => runId)
    if (events.length > 0) this.emit({ type: 'events', events })
    if (runEvents.length > 0) this.emit({ type: 'run_events', events: runEvents })
    for (const notification of changes.notifications ?? []) this.emit({ type: 'notification', notification })
    if (changes.queued) this.emit({ type: 'queued' })
    if (changes.pending) this.emit({ type: 'pending' })
    if (changes.cancel) this.emit({ type: 'cancel' })
    if (changes.schedule) this.emit({ type: 'schedule' })
    if (changes.delivery) this.emit({ type: 'delivery' })
    // Log signals are also for readers in other processes; readers in this one follow the writer directly.
    if (changes.logOf) this.emit({ type: 'log', jobId: changes.logOf })
  }

  /** Emits `queued` in this process again after a delay. */
  wakeIn(delayMs: number): void {
    this.#wake ??= setTimeout(() => {
      this.#wake = null
      this.emit({ type: 'queued' })
    }, delayMs)
  }

  stop(): void {
    if (this.#wake) clearTimeout(this.#wake)
  }

  emit(signal: StoreSignal): void {
    for (const listener of this.#listeners) listener(signal)
  }
}
