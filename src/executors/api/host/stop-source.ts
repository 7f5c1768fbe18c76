/** Where the signal of an item comes from. It is made when somebody asks: few functions do, and it is dear. */
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
