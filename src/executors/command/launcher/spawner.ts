/** Starts processes and hears of their ends. Two implementations: `native-spawner.ts` and `portable-spawner.ts`. */
export interface Spawner {
  readonly name: 'native' | 'portable'
  /** Processes whose parents have died become children of this process (Linux, child subreaper). */
  readonly adopts: boolean
  /**
   * Starts a program as leader of a session of its own, with nothing open but its three streams. Forks before it
   * returns, so that what the calling thread is at that moment (its cgroup) is inherited.
   */
  spawn(program: Program): Promise<Spawned> | Spawned
}

export type Program = {
  /** An absolute path, or one relative to `workingDir`. */
  readonly path: string
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly workingDir: string
  /** Descriptors for 0, 1 and 2. */
  readonly stdio: readonly [number, number, number]
}

/** `error` is the system's code: of the program or of its working directory, which the system does not tell apart. */
export type Spawned = { readonly pid: number } | { readonly error: string }

export type ProcessExit = { readonly exitCode: number | null; readonly signal: string | null }

export type SpawnerOptions = {
  readonly user: { readonly uid: number; readonly gid: number } | null
  readonly onExit: (pid: number, exit: ProcessExit) => void
}
