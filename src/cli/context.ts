/** What a command knows of the process it runs in; `main.ts` makes it, so that nothing below reads the process itself. */
export type CliContext = {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Relative paths start here. */
  readonly directory: string
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}
