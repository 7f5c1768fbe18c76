import type { JobEvent } from '../../model/job.ts'
import type { Changes } from './signals.ts'

/** NOTIFY takes payloads below 8000 bytes (PostgreSQL documentation, NOTIFY). */
const LARGEST_PAYLOAD = 7900
/** More events or log hints than this in one go cannot fit and are not even encoded. */
const MOST_ITEMS = 60

/** One coalesced message between processes. */
export type Notice = {
  readonly from: string
  readonly queued: boolean
  readonly pending: boolean
  readonly cancel: boolean
  /** Some events did not fit. */
  readonly missed: boolean
  readonly events: readonly JobEvent[]
  readonly logsOf: readonly string[]
}

/** Gathers changes into one notice that fits, however many there are. */
export class Notices {
  readonly #from: string
  #queued = false
  #pending = false
  #cancel = false
  #missed = false
  #events: JobEvent[] = []
  readonly #logsOf = new Set<string>()

  constructor(from: string) {
    this.#from = from
  }

  get isEmpty(): boolean {
    return !(this.#queued || this.#pending || this.#cancel || this.#missed || this.#logsOf.size || this.#events.length)
  }

  add(changes: Changes): void {
    this.#queued ||= changes.queued ?? false
    this.#pending ||= changes.pending ?? false
    this.#cancel ||= changes.cancel ?? false
    if (changes.logOf) this.#logsOf.add(changes.logOf)
    if (!changes.events) return
    if (this.#missed || this.#events.length + changes.events.length > MOST_ITEMS) this.#dropEvents()
    else this.#events.push(...changes.events)
  }

  /** The payload of what was gathered; `Notices` is empty afterwards. */
  take(): string {
    if (this.#logsOf.size > MOST_ITEMS) this.#dropEvents()
    let payload = this.#encode()
    if (Buffer.byteLength(payload) > LARGEST_PAYLOAD) {
      this.#dropEvents()
      payload = this.#encode()
    }
    this.#queued = this.#pending = this.#cancel = this.#missed = false
    this.#events = []
    this.#logsOf.clear()
    return payload
  }

  /** Also the log hints: their readers look again at `missed_events`. */
  #dropEvents(): void {
    this.#missed = true
    this.#events = []
    this.#logsOf.clear()
  }

  #encode(): string {
    return JSON.stringify({
      from: this.#from,
      queued: this.#queued,
      pending: this.#pending,
      cancel: this.#cancel,
      missed: this.#missed,
      events: this.#events,
      logsOf: [...this.#logsOf],
    } satisfies Notice)
  }
}
