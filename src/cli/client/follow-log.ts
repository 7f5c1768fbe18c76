import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, systemClock } from '../../kernel/clock.ts'
import type { JobStatus } from '../../model/job-status.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import type { LogLineAnswer } from './job-answer.ts'
import { openLogSocket } from './log-socket.ts'
import { isPassing, PATIENCE_MS } from './patiently.ts'
import type { ServerAddress } from './server-address.ts'

type FollowInput = {
  readonly server: ServerAddress
  readonly jobId: string
  /** The first line to print, from 1. */
  readonly from: number
  readonly signal: AbortSignal
  /** Awaited before more is read. */
  readonly onLines: (lines: readonly LogLineAnswer[]) => Promise<void>
  /** Called once per lost connection, which is then re-established. */
  readonly onLost?: () => void
  readonly clock?: Pick<Clock, 'monotonic'>
}

const SHORTEST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

/**
 * Follows a job's log until the job has ended, and returns its status. After a lost connection, reconnects and continues with the next line, without gaps or
 * repetitions. null: `signal` was aborted.
 */
export const followLog = async (input: FollowInput): Promise<JobStatus | null> => {
  const place = { next: input.from, lostAt: null as number | null, pauseMs: SHORTEST_PAUSE_MS }
  while (!input.signal.aborted) {
    try {
      const status = await readConnection(input, place)
      if (status !== null) return status
      await waitToReconnect(input, place, new Error('the connection was closed'))
    } catch (error) {
      if (error instanceof CliFailure && !isPassing(error)) throw error
      await waitToReconnect(input, place, error as Error)
    }
  }
  return null
}

type Place = { next: number; lostAt: number | null; pauseMs: number }

const readConnection = async (input: FollowInput, place: Place): Promise<JobStatus | null> => {
  // A connection that the server only accepts and closes is not a sign of life. It pings for the first time after seconds.
  const onLife = (): void => {
    place.lostAt = null
    place.pauseMs = SHORTEST_PAUSE_MS
  }
  for await (const message of openLogSocket({ ...input, from: place.next, onPing: onLife })) {
    if ('event' in message) return message.status
    onLife()
    const fresh = message.filter(line => line.seq >= place.next)
    place.next = (fresh.at(-1)?.seq ?? place.next - 1) + 1
    await input.onLines(fresh)
  }
  return null
}

const waitToReconnect = async (input: FollowInput, place: Place, error: Error): Promise<void> => {
  if (input.signal.aborted) return
  const now = (input.clock ?? systemClock).monotonic()
  if (place.lostAt === null) input.onLost?.()
  place.lostAt ??= now
  if (now - place.lostAt > PATIENCE_MS)
    throw new CliFailure(`lost the server: ${error.message}`, { exitCode: EXIT.server })
  await delay(place.pauseMs, undefined, { signal: input.signal }).catch(() => {})
  place.pauseMs = Math.min(place.pauseMs * 2, LONGEST_PAUSE_MS)
}
