/** Notifies followers that there may be news of a job's log. */
export class Wakeups {
  readonly #bells = new Map<string, Set<Bell>>()

  /** A bell for one follower of a job. The caller must close it. */
  subscribe(jobId: string): Bell {
    const bells = this.#bells.get(jobId) ?? new Set()
    this.#bells.set(jobId, bells)
    const bell = new Bell(() => {
      bells.delete(bell)
      if (bells.size === 0 && this.#bells.get(jobId) === bells) this.#bells.delete(jobId)
    })
    bells.add(bell)
    return bell
  }

  /** True while nobody waits for news of any job. */
  get isQuiet(): boolean {
    return this.#bells.size === 0
  }

  wake(jobId: string): void {
    for (const bell of this.#bells.get(jobId) ?? []) bell.ring()
  }

  wakeAll(): void {
    for (const jobId of this.#bells.keys()) this.wake(jobId)
  }
}

/** Remembers one ring, so that a change between checking and waiting is not missed. */
export class Bell {
  readonly close: () => void
  #rung = false
  #waiting: (() => void) | null = null

  constructor(close: () => void) {
    this.close = close
  }

  ring(): void {
    this.#rung = true
    this.#waiting?.()
  }

  /** Resolves on a ring since the last wait, after `timeoutMs`, or on abort. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, timeoutMs)
      timer.unref()
      const abort = () => resolve()
      signal.addEventListener('abort', abort, { once: true })
      this.#waiting = resolve
      await promise
      this.#waiting = null
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    this.#rung = false
  }
}
