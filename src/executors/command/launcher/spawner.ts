/** Starts processes and reports their ends. Implemented by `native-spawner.ts` and `portable-spawner.ts`. */
export interface Spawner {
  readonly name: 'native' | 'portable'
  /** Whether orphans become children of this process (Linux, child subreaper). */
  readonly adopts: boolean
  /**
   * Starts a program as the leader of its own session, with only its three streams open. Forks before it returns, so that the program inherits the current
   * state of the calling thread (its cgroup).
   */
  spawn(program: Program): Promise<Spawned> | Spawned
}

export type Program = {
  /** An absolute path, or one relative to `workingDir`. */
  readonly path: string
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDir: string
  /** File descriptors for 0, 1 and 2. */
  readonly stdio: readonly [number, number, number]
}

/** `error` is the system's error code. It may concern the program or its working directory; the system does not distinguish them. */
export type Spawned = { readonly pid: number } | { readonly error: string }

export type ProcessExit = { readonly exitCode: number | null; readonly signal: string | null }

export type SpawnerOptions = {
  readonly user: { readonly uid: number; readonly gid: number } | null
  readonly onExit: (pid: number, exit: ProcessExit) => void
}
