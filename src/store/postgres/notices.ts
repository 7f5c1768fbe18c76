import { isPlainObject } from '../../kernel/plain-object.ts'
import type { JobEvent } from '../../model/job.ts'
import type { Notification, RunEvent } from '../../model/workflow.ts'
import type { Changes } from './signals.ts'

/** NOTIFY payloads must be below 8000 bytes (PostgreSQL documentation, NOTIFY). */
const LARGEST_PAYLOAD = 7900
/** More events or log hints than this cannot fit in one notice and are not even encoded. */
const MOST_ITEMS = 60

/** Flags that only ask the receiver to check. */
const HINTS = ['queued', 'pending', 'cancel', 'schedule', 'delivery'] as const
type Hint = (typeof HINTS)[number]

/** One coalesced message to other processes. */
export type Notice = {
  readonly from: string
  /** Some events did not fit. */
  readonly missed: boolean
  readonly events: readonly JobEvent[]
  readonly runEvents: readonly RunEvent[]
  readonly notifications: readonly Notification[]
  readonly logsOf: readonly string[]
} & { readonly [name in Hint]: boolean }

const LISTS = ['events', 'runEvents', 'notifications', 'logsOf'] as const

/** The notice in a payload; null: somebody else has used the channel, where every user of the database may send. */
export const readNotice = (payload: string): Notice | null => {
  try {
    const notice: unknown = JSON.parse(payload)
    const isOurs =
      isPlainObject(notice) && typeof notice.from === 'string' && LISTS.every(list => Array.isArray(notice[list]))
    return isOurs ? (notice as Notice) : null
  } catch {
    return null
  }
}

/** Coalesces any number of changes into one notice that fits. */
export class Notices {
  readonly #from: string
  readonly #hints = new Set<Hint>()
  #missed = false
  #events: JobEvent[] = []
  #runEvents: RunEvent[] = []
  #notifications: Notification[] = []
  readonly #logsOf = new Set<string>()

  constructor(from: string) {
    this.#from = from
  }

  get isEmpty(): boolean {
    return !(this.#missed || this.#hints.size || this.#logsOf.size || this.#told)
  }

  get #told(): number {
    return this.#events.length + this.#runEvents.length + this.#notifications.length
  }

  add(changes: Changes): void {
    for (const hint of HINTS) if (changes[hint]) this.#hints.add(hint)
    if (changes.logOf) this.#logsOf.add(changes.logOf)
    const { events = [], runEvents = [], notifications = [] } = changes
    const added = events.length + runEvents.length + notifications.length
    if (added === 0) return
    if (this.#missed || this.#told + added > MOST_ITEMS) {
      this.#dropEvents()
      return
    }
    this.#events.push(...events)
    this.#runEvents.push(...runEvents)
    this.#notifications.push(...notifications)
  }

  /** The payload of what was gathered; resets `Notices`. */
  take(): string {
    if (this.#logsOf.size > MOST_ITEMS) this.#dropEvents()
    let payload = this.#encode()
    if (Buffer.byteLength(payload) > LARGEST_PAYLOAD) {
      this.#dropEvents()
      payload = this.#encode()
    }
    this.#forget()
    this.#missed = false
    this.#hints.clear()
    return payload
  }

  /** Drops the log hints too: their readers check again on `missed_events`. */
  #dropEvents(): void {
    this.#missed = true
    this.#forget()
  }

  #forget(): void {
    this.#events = []
    this.#runEvents = []
    this.#notifications = []
    this.#logsOf.clear()
  }

  #encode(): string {
    const has = (hint: Hint) => this.#hints.has(hint)
    return JSON.stringify({
      from: this.#from,
      queued: has('queued'),
      pending: has('pending'),
      cancel: has('cancel'),
      schedule: has('schedule'),
      delivery: has('delivery'),
      missed: this.#missed,
      events: this.#events,
      runEvents: this.#runEvents,
      notifications: this.#notifications,
      logsOf: [...this.#logsOf],
    } satisfies Notice)
  }
}
