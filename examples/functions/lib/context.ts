/** What every function gets as its second argument. For the eye and the editor: nothing of this file is left at run time. */
export type Context = {
  readonly signal: AbortSignal
  readonly attempt: number
  readonly jobId: string
  readonly runId: string | null
  readonly workflowId: string | null
  readonly scheduledAt: Date
  readonly environment: Readonly<Record<string, string>>
  log(...values: readonly unknown[]): void
  progress(percentage: number | null, message?: string | null): void
  extendPayload(items: readonly object[]): Promise<void>
  extendTimeout(): Promise<void>
  artifact(name: string, content: string | Uint8Array | { readonly path: string }): Promise<'added' | 'name_taken'>
}
