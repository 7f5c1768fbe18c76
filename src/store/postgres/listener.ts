import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { type Notice, Notices } from './notices.ts'
import { type Changes, Signals } from './signals.ts'

const CHANNEL = 'millrace'
/** NOTIFY takes a lock that all committers share, so it goes out at most this often and never with the change itself. */
const NOTIFY_EVERY_MS = 10
const FIRST_RECONNECT_MS = 100
const LAST_RECONNECT_MS = 2000

/**
 * The one connection that hears other processes and speaks to them. When it breaks it is made again; what may have been
 * missed meanwhile is told as `missed_events` and a round of wake-ups.
 */
export class Listener {
  readonly signals: Signals
  readonly #url: string
  readonly #self: string
  readonly #notices: Notices
  #client: pg.Client | null = null
  #flush: NodeJS.Timeout | null = null
  /** One after the other: what comes meanwhile goes into the next. */
  #sending: Promise<void> = Promise.resolve()
  #reconnect: NodeJS.Timeout | null = null
  #reconnectMs = FIRST_RECONNECT_MS
  #stopped = false

  constructor({ url, processName }: { url: string; processName: string }) {
    this.#url = url
    this.#self = `${processName}/${randomUUID()}`
    this.#notices = new Notices(this.#self)
    this.signals = new Signals(changes => this.#schedule(changes))
  }

  /** Connects. Rejects when the first connection fails; later ones are tried again until `stop`. */
  async start(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'millrace listener',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
    })
    client.on('error', () => {})
    client.on('notification', ({ payload }) => this.#hear(payload ?? ''))
    await client.connect()
    await client.query(`LISTEN ${CHANNEL}`)
    if (this.#stopped) return client.end()
    client.on('end', () => this.#lost())
    this.#client = client
    this.#reconnectMs = FIRST_RECONNECT_MS
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.signals.stop()
    if (this.#flush) clearTimeout(this.#flush)
    if (this.#reconnect) clearTimeout(this.#reconnect)
    // What was changed last is still told.
    await this.#sending.then(() => this.#send())
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }

  #hear(payload: string): void {
    const notice = JSON.parse(payload) as Notice
    if (notice.from === this.#self) return
    this.signals.heard(notice)
    for (const jobId of notice.logsOf) this.signals.emit({ type: 'log', jobId })
    if (notice.missed) this.signals.emit({ type: 'missed_events' })
  }

  #schedule(changes: Changes): void {
    if (this.#stopped) return
    this.#notices.add(changes)
    this.#flush ??= setTimeout(() => {
      this.#flush = null
      this.#sending = this.#sending.then(() => this.#send())
    }, NOTIFY_EVERY_MS)
  }

  /** A notice that cannot be sent is lost; the others learn of the break by polling. */
  async #send(): Promise<void> {
    if (!this.#client || this.#notices.isEmpty) return
    const query = { name: 'notify', text: 'SELECT pg_notify($1, $2)', values: [CHANNEL, this.#notices.take()] }
    await this.#client.query(query).catch(() => {})
  }

  #lost(): void {
    this.#client = null
    this.#retryLater()
  }

  #retryLater(): void {
    if (this.#stopped || this.#reconnect) return
    this.#reconnect = setTimeout(() => {
      this.#reconnect = null
      this.start().then(
        () => this.#tellOfGap(),
        () => this.#retryLater(),
      )
    }, this.#reconnectMs)
    this.#reconnectMs = Math.min(this.#reconnectMs * 2, LAST_RECONNECT_MS)
  }

  #tellOfGap(): void {
    if (this.#stopped) return
    // What was changed here meanwhile goes out now.
    this.#schedule({})
    this.signals.emit({ type: 'missed_events' })
    this.signals.heard({ queued: true, pending: true, cancel: true, schedule: true, delivery: true })
  }
}
