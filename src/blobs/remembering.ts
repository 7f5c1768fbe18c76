/** Callers at the same time share one call; what went well counts for a while, what failed is tried again. */
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
