/** The source of an item's abort signal, created on first use: it is expensive, and few functions need it. */
export interface StopSource {
  readonly signal: AbortSignal
  abort(reason: string): void
}

export const createStopSource = (): StopSource => {
  let controller: AbortController | null = null
  let reason: Error | null = null
  return {
    get signal() {
      if (controller === null) {
        controller = new AbortController()
        if (reason !== null) controller.abort(reason)
      }
      return controller.signal
    },
    abort: text => {
      reason = new Error(text)
      controller?.abort(reason)
    },
  }
}
