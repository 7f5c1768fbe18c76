/**
 * Starts function hosts and contains their processes, so that nothing they start outlives them. Kills them when the server hangs or dies. The launcher
 * of commands implements this; it is passed in, because kinds must not depend on each other.
 */
export interface HostLauncher {
  start(): Promise<void>
  stop(): Promise<void>
  run(command: HostCommand): StartedHost
  /** `deadline` is in ms of the system's monotonic clock. A host not renewed by then is killed. */
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
      /** Number of processes that could not be killed. */
      readonly left: number
    }
  | { readonly is: 'refused'; readonly error: string }
  | { readonly is: 'lost' }

/** The user hosts run as. */
export type HostUser = {
  readonly uid: number
  readonly gid: number
  readonly home: string
  /** Whether it differs from the server's user. */
  readonly isOther: boolean
}
