/** What the server tells an engine process when it starts it: one JSON argument. */
export type EngineSettings = {
  /** chDB's data; the process has a lock on it. */
  readonly dataPath: string
  readonly lockPath: string
  readonly socketPath: string
  /** For FIFOs and files of a moment; emptied at start. */
  readonly spoolPath: string
  /** Of the whole process. null: what chDB takes by itself. */
  readonly memoryBytes: number | null
  /** After how long without a statement it says that it is idle. */
  readonly idleMs: number
  /** How long a cancelled statement may go on before the whole process is ended. */
  readonly killGraceMs: number
  /** Why the process is not confined to its folder; null: it is. */
  readonly unconfined: string | null
}

/** What an engine says on its standard output, a line each: once that it serves; from time to time that it has nothing to do. */
export type EngineReport =
  | { readonly is: 'ready'; readonly version: string; readonly unconfined: string | null }
  | { readonly is: 'idle' }
