import { ENDED_STATUSES } from '../../model/job-status.ts'
import { ENDED_RUN_STATUSES } from '../../model/workflow.ts'

const ENDED: ReadonlySet<string> = new Set([...ENDED_STATUSES, ...ENDED_RUN_STATUSES])

/** Notices are late by milliseconds, after a break by seconds: far fewer jobs end meanwhile. */
const MOST = 10_000

/**
 * Jobs and runs whose end has been told lately. Each process tells its own changes at once and hears those of others later, so that what
 * came before an end may be heard after it; whoever follows would take the subject for live for ever.
 */
export class EndedSubjects {
  readonly #ids = new Set<string>()

  /** The events that are no news of what has ended before; ends among them are remembered. */
  untold<T extends { readonly status: string }>(events: readonly T[], idOf: (event: T) => string): readonly T[] {
    const late = events.filter(event => this.#ids.has(idOf(event)))
    for (const event of events) if (ENDED.has(event.status)) this.#remember(idOf(event))
    return late.length === 0 ? events : events.filter(event => !late.includes(event))
  }

  #remember(id: string): void {
    this.#ids.add(id)
    if (this.#ids.size <= MOST) return
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest)
      return
    }
  }
}
