import type { ContainmentKind } from '../launch-protocol.ts'

/**
 * Knows which processes belong to which command. In order of preference:
 *
 * - `cgroup`: one cgroup (v2) per command. Membership is exact, and `cgroup.kill` kills all members at once.
 * - `pids-cgroup`: the same with the older pids hierarchy (v1).
 * - `tracking`: by session, descent and an environment cookie. `tracking.ts` describes its limits.
 * - `group`: by process group, if there is no /proc.
 */
export interface Containment {
  readonly kind: ContainmentKind
  /** Whether it limits the number of processes of a command. */
  readonly limited: boolean
  openCell(input: { cookie: string }): Cell
}

/** The processes of one command. */
export interface Cell {
  /** Call `enter` and `leave` around the fork of the main process, on the same thread: what is forked in between is a member. */
  enter(): void
  leave(): void
  /** Call after a successful fork. */
  started(pid: number): void
  /** Call when the main process has ended: its pid is then no longer a member. */
  mainEnded(): void
  /** The live members. */
  members(): readonly number[]
  /** True if a cheap check proves that there are no members. */
  isEmpty(): boolean
  /** Sends SIGKILL to all current members, in a way that keeps new ones from escaping. Call until empty. */
  strike(): void
  /** Returns the cell for reuse. `empty: false`: something in it could not be killed. */
  close(input: { empty: boolean }): void
}

/** Sends a signal. A process that no longer exists is no error. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH' && (error as NodeJS.ErrnoException).code !== 'EPERM')
      throw error
  }
}
