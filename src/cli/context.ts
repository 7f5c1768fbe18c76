/** What commands may know about their process. `main.ts` creates it, so that nothing below reads the process itself. */
export type CliContext = {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The base of relative paths. */
  readonly directory: string
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}
