import { setTimeout as delay } from 'node:timers/promises'
import { CliFailure } from '../failure.ts'

/** How long a server may be unreachable: long enough for an upgrade or a reboot. */
export const PATIENCE_MS = 5 * 60_000

const PAUSE_MS = 1000

type Options = {
  /** Stops the retries; `read` is expected to fail then. */
  readonly signal?: AbortSignal
  /** Called once, when the first try has failed. */
  readonly onLost?: () => void
}

/** Reads again while the server restarts. Throws the `CliFailure` of the last try. */
export const patiently = async <T>(read: () => Promise<T>, { signal, onLost }: Options = {}): Promise<T> => {
  const startedAt = performance.now()
  for (let tries = 1; ; tries++) {
    try {
      return await read()
    } catch (error) {
      if (signal?.aborted || !isPassing(error) || performance.now() - startedAt > PATIENCE_MS) throw error
      if (tries === 1) onLost?.()
      await delay(PAUSE_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** The last one: after a lost connection, the server may count the earlier stream for a while. */
const PASSING: readonly unknown[] = ['no_server', 'no_answer', 'too_many_streams']

/** Whether the server or its proxy is starting or stopping, or has no place for a stream. Any other refusal is final. */
export const isPassing = (error: unknown): boolean =>
  error instanceof CliFailure && (PASSING.includes(error.code) || [502, 503, 504].includes(error.status ?? 0))
