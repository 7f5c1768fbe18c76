import { ENDED_STATUSES } from '../../model/job-status.ts'
import { ENDED_RUN_STATUSES } from '../../model/workflow.ts'

const ENDED: ReadonlySet<string> = new Set([...ENDED_STATUSES, ...ENDED_RUN_STATUSES])

/** Notices arrive milliseconds late, after a disconnect seconds late: far fewer jobs end in that time. */
const MOST = 10_000

/**
 * Jobs and runs whose end was reported recently. Each process reports its own changes at once and receives those of others later, so an older event
 * may arrive after the end. A subscriber would then take the job or run for live forever.
 */
export class EndedSubjects {
  readonly #ids = new Set<string>()

  /** The events that are not about subjects already ended; remembers the ends among them. */
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
