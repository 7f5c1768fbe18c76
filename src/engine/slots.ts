/** Limits how many jobs of one lane run at once. */
export interface Slots {
  /** Reserves all slots that new jobs may use now. Unused ones are returned by `end`. */
  reserve(): Reservation
}

export interface Reservation {
  readonly size: number
  /** Uses one reserved slot. */
  use(): Slot
  /** Returns the unused slots. */
  end(): void
}

/** The slot of one attempt. */
export interface Slot {
  /** Frees the slot for others. Idempotent. */
  release(): void
  /**
   * Lends the slot to others during `wait`. Resolves when the attempt has a slot again; it takes precedence over new jobs. After an abort it resolves as
   * soon as `wait` does, with or without a slot: an attempt about to stop needs none.
   */
  lend<T>(wait: () => Promise<T>, signal: AbortSignal): Promise<T>
}

/** Limit for attempts that lent their slot: each polls the store repeatedly and has its lease renewed. */
const MOST_LENT = 64

type Options = {
  readonly size: number
  /** Called when a new job may get a slot. */
  readonly onFree: () => void
}

/**
 * A lent slot goes first to attempts that want theirs back, in FIFO order, then to a new job. No attempt holds a slot while it waits for another, so slot
 * holders always make progress. To keep it that way, no new job starts while many attempts have lent their slots.
 */
export const createSlots = ({ size, onFree }: Options): Slots => {
  let taken = 0
  let lent = 0
  const returning = new Set<() => void>()

  /** Passes the slot to the first attempt that wants it back. Returns true if it became free instead. */
  const passOn = (): boolean => {
    const [next] = returning
    if (next === undefined) taken -= 1
    else next()
    return next === undefined
  }

  /** Resolves with whether a slot was taken: false after an abort. */
  const takeBack = (signal: AbortSignal): Promise<boolean> =>
    new Promise(resolve => {
      if (signal.aborted) return resolve(false)
      if (taken < size) {
        taken += 1
        return resolve(true)
      }
      const settle = (isTaken: boolean): void => {
        returning.delete(take)
        signal.removeEventListener('abort', leave)
        resolve(isTaken)
      }
      const take = (): void => settle(true)
      const leave = (): void => settle(false)
      returning.add(take)
      signal.addEventListener('abort', leave)
    })

  const createSlot = (): Slot => {
    let isHeld = true
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      if (passOn()) onFree()
    }
    const lend: Slot['lend'] = async (wait, signal) => {
      if (!isHeld) return wait()
      lent += 1
      release()
      try {
        return await wait()
      } finally {
        isHeld = await takeBack(signal)
        if (lent-- === MOST_LENT) onFree()
      }
    }
    return { release, lend }
  }

  return {
    reserve: () => {
      const reserved = lent < MOST_LENT ? size - taken : 0
      let left = reserved
      taken += reserved
      return {
        size: reserved,
        use: () => {
          left -= 1
          return createSlot()
        },
        end: () => {
          for (; left > 0; left--) passOn()
        },
      }
    },
  }
}
