import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { Notices, readNotice } from './notices.ts'
import { type Changes, Signals } from './signals.ts'

const CHANNEL = 'millrace'
/** NOTIFY takes a lock shared by all committers, so it is sent no more often than this and never in the transaction of the change itself. */
const NOTIFY_EVERY_MS = 10
const FIRST_RECONNECT_MS = 100
const LAST_RECONNECT_MS = 2000

/**
 * The one connection that exchanges notices with other processes. It reconnects after a break and then emits `missed_events` and all wake-ups, for
 * whatever was missed.
 */
export class Listener {
  readonly signals: Signals
  readonly #url: string
  readonly #self: string
  readonly #notices: Notices
  #client: pg.Client | null = null
  #flush: NodeJS.Timeout | null = null
  /** Sends run one at a time; changes that arrive meanwhile go into the next notice. */
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

  /** Connects. Rejects if the first connection fails; later ones are retried until `stop`. */
  async start(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'millrace listener',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
    })
    client.on('error', () => {})
    client.on('notification', ({ payload }) => this.#hear(payload ?? ''))
    try {
      await client.connect()
      await client.query(`LISTEN ${CHANNEL}`)
    } catch (error) {
      // A standby accepts connections and refuses to listen. Not awaited: on a silent connection that takes forever.
      client.end().catch(() => {})
      throw error
    }
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
    // Sends the last changes.
    await this.#sending.then(() => this.#send())
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }

  #hear(payload: string): void {
    const notice = readNotice(payload)
    if (notice === null || notice.from === this.#self) return
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

  /** A notice that cannot be sent is lost; other processes catch up by polling. */
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
    // Sends what changed here during the break.
    this.#schedule({})
    this.signals.emit({ type: 'missed_events' })
    this.signals.heard({ queued: true, pending: true, cancel: true, schedule: true, delivery: true })
  }
}
