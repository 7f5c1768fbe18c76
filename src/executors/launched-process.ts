import { GIVE_UP_MS } from '../model/lease.ts'

/** The variable that marks every process of a command or function host, unless the process clears its environment. */
export const COOKIE_VARIABLE = 'MILLRACE_PROCESS_COOKIE'

/** The PATH of everything that is started, never the server's own. A job's environment may set another. */
export const BASE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** CLOCK_MONOTONIC in ms, the same for all processes of a machine. */
export const systemTime = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** When a lease can no longer be relied on, if its last renewal was sent `ageMs` ago. A `systemTime()`. */
export const leaseDeadline = (ageMs: number): number => systemTime() - ageMs + GIVE_UP_MS

/** Identifies a running attempt. */
export const attemptKey = ({ id, attempt }: { id: string; attempt: number }): string => `${id}.${attempt}`
