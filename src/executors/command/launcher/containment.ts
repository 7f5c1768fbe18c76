import type { ContainmentKind } from '../launch-protocol.ts'

/**
 * Knows which processes belong to which command. In order of preference:
 *
 * - `cgroup`: a cgroup (v2) for each command; membership is exact and `cgroup.kill` ends it in one stroke.
 * - `pids-cgroup`: the same with the older pids hierarchy (v1).
 * - `tracking`: by session, descent and an environment cookie; `tracking.ts` says what it cannot know.
 * - `group`: by process group, where there is no /proc.
 */
export interface Containment {
  readonly kind: ContainmentKind
  /** Whether it bounds the number of processes of a command. */
  readonly limited: boolean
  openCell(input: { cookie: string }): Cell
}

/** The processes of one command. */
export interface Cell {
  /** Around the fork of the main process, on the same thread: what is forked between them is a member. */
  enter(): void
  leave(): void
  /** After a successful fork. */
  started(pid: number): void
  /** The main process has ended: its id is no longer a member. */
  mainEnded(): void
  /** Live members. */
  members(): readonly number[]
  /** True when it is sure at little cost that there is no member. */
  isEmpty(): boolean
  /** Sends SIGKILL to all members there are, in a way that keeps new ones from getting away. Call until empty. */
  strike(): void
  /** Gives the cell back; `empty: false` when something in it could not be killed. */
  close(input: { empty: boolean }): void
}

/** Sends a signal; a process that is gone is no error. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH' && (error as NodeJS.ErrnoException).code !== 'EPERM')
      throw error
  }
}
