/** How many jobs of one lane are worked on at once. */
export interface Slots {
  /** Takes as many as may be given to new jobs now, at most all; what comes of none is given back. */
  reserve(): Reservation
}

export interface Reservation {
  readonly size: number
  /** Uses one of them. */
  use(): Slot
  /** Gives back those that were not used. */
  end(): void
}

/** The slot of one attempt. */
export interface Slot {
  /** It is free for others. Idempotent. */
  release(): void
  /**
   * Lets others have it while `wait` goes on, and resolves when the attempt has one again, which comes before any new job. At the abort it resolves as
   * soon as `wait` does, with or without one: who is to stop needs none.
   */
  lend<T>(wait: () => Promise<T>, signal: AbortSignal): Promise<T>
}

/** Each that waits asks the store again and again, and is an attempt whose lease is renewed. */
const MOST_LENT = 64

type Options = {
  readonly size: number
  /** A slot may be given to a new job. */
  readonly onFree: () => void
}

/**
 * A slot that its attempt lends goes to whoever wants one back, in the order in which they came, then to a new job. Nobody keeps a slot while it
 * waits for another attempt, so those who have one always get on; so that none ever has to, no new job is begun while many have lent theirs.
 */
export const createSlots = ({ size, onFree }: Options): Slots => {
  let taken = 0
  let lent = 0
  const returning = new Set<() => void>()

  /** To the first that wants it back; says whether it is free instead. */
  const passOn = (): boolean => {
    const [next] = returning
    if (next === undefined) taken -= 1
    else next()
    return next === undefined
  }

  /** Resolves with whether there is one: not after the abort. */
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
