import { GIVE_UP_MS } from '../../model/lease.ts'
/**
 * What starts function hosts: it holds their processes together, so that nothing they start outlives them, and ends them
 * when the server hangs or dies. The launcher of commands is one; it is handed in, for kinds know nothing of each other.
 */
export interface HostLauncher {
  start(): Promise<void>
  stop(): Promise<void>
  run(command: HostCommand): StartedHost
  /** `deadline` in ms of the system's monotonic clock; a host that is not renewed until then is killed. */
  renew(tickets: readonly number[], deadline: number): void
  readonly problem: string | null
}

export type HostCommand = {
  readonly cookie: string
  readonly argv: readonly [string, ...string[]]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDir: string
  readonly stdin: null
  readonly stdout: string
  readonly stderr: string
  readonly deadline: number | null
  readonly sandboxed: boolean
}

export interface StartedHost {
  readonly ticket: number
  kill(): void
  /** Resolves when nothing of the host is left. */
  readonly ended: Promise<HostEnd>
}

export type HostEnd =
  | {
      readonly is: 'ended'
      readonly exitCode: number | null
      readonly signal: string | null
      readonly cause: 'order' | 'lease' | null
      /** Processes that could not be killed. */
      readonly left: number
    }
  | { readonly is: 'refused'; readonly error: string }
  | { readonly is: 'lost' }

/** Who hosts run as. */
export type HostUser = {
  readonly uid: number
  readonly gid: number
  readonly home: string
  /** Whether that is another user than the server's. */
  readonly isOther: boolean
}

/** Name of the variable by which the launcher knows the processes of a host. */
export const COOKIE_VARIABLE = 'MILLRACE_PROCESS_COOKIE'

/** Until when a host may run whose lease was last renewed `ageMs` ago. */
export const hostDeadline = (ageMs: number): number =>
  Number(process.hrtime.bigint() / 1000n) / 1000 - ageMs + GIVE_UP_MS
