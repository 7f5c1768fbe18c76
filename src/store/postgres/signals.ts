import type { JobEvent } from '../../model/job.ts'
import type { StoreSignal } from '../store.ts'

/** What a committed change may tell others. */
export type Changes = {
  readonly queued?: boolean
  readonly pending?: boolean
  readonly cancel?: boolean
  readonly events?: readonly JobEvent[]
  readonly logOf?: string
}

/** Hints of this process, told here at once after the commit and passed on to the other processes. */
export class Signals {
  readonly #listeners = new Set<(signal: StoreSignal) => void>()
  readonly #forward: (changes: Changes) => void
  #wake: NodeJS.Timeout | null = null

  constructor(forward: (changes: Changes) => void) {
    this.#forward = forward
  }

  on(listener: (signal: StoreSignal) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** After a commit of this process. Events first: who is woken by another signal may make the next ones. */
  changed(changes: Changes): void {
    this.heard(changes)
    this.#forward(changes)
  }

  /** What another process has changed. */
  heard(changes: Changes): void {
    if (changes.events && changes.events.length > 0) this.emit({ type: 'events', events: changes.events })
    if (changes.queued) this.emit({ type: 'queued' })
    if (changes.pending) this.emit({ type: 'pending' })
    if (changes.cancel) this.emit({ type: 'cancel' })
    // A log signal is for readers in other processes too, and those here follow the writer itself.
    if (changes.logOf) this.emit({ type: 'log', jobId: changes.logOf })
  }

  /** Tells this process again, after a while, that there may be something to claim. */
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
