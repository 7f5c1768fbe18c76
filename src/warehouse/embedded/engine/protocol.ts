/** What the server passes to an engine process at start: one JSON argument. */
export type EngineSettings = {
  /** chDB's data directory, locked by the process. */
  readonly dataPath: string
  readonly lockPath: string
  readonly socketPath: string
  /** For FIFOs and short-lived files; emptied at start. */
  readonly spoolPath: string
  /** Of the whole process. null: chDB's default. */
  readonly memoryBytes: number | null
  /** After how long without a statement it reports that it is idle. */
  readonly idleMs: number
  /** How long a cancelled statement may keep running before the process is killed. */
  readonly killGraceMs: number
  /** Why the process is not confined to its folder; null: it is confined. */
  readonly unconfined: string | null
}

/** What an engine writes to stdout, one JSON per line: `ready` once, when it serves; `idle` repeatedly, when nothing runs. */
export type EngineReport =
  | { readonly is: 'ready'; readonly version: string; readonly unconfined: string | null }
  | { readonly is: 'idle' }
