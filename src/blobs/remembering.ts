/** Concurrent callers share one call. A success is cached for `keptMs`; a failure is retried. */
export const remembering = (call: () => Promise<void>, keptMs: number): (() => Promise<void>) => {
  let current: Promise<void> | null = null
  let wellUntil = 0
  return async () => {
    if (performance.now() < wellUntil) return
    current ??= call()
      .then(() => {
        wellUntil = performance.now() + keptMs
      })
      .finally(() => {
        current = null
      })
    await current
  }
}
