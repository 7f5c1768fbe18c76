type Options<T> = {
  /** Maximum total weight. A value that is heavier on its own is returned but not cached. */
  readonly most: number
  readonly weigh: (value: T) => number
}

type Entry<T> = { readonly value: T; readonly weight: number }

/** A cache bounded by weight that evicts the least recently used entry. Concurrent calls for one key build one value. */
export const createWeightedCache = <T>({ most, weigh }: Options<T>) => {
  // A Map iterates in insertion order, so an entry is reinserted when used.
  const entries = new Map<string, Entry<T>>()
  const making = new Map<string, Promise<T>>()
  let total = 0

  const peek = (key: string): T | undefined => {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    entries.delete(key)
    entries.set(key, entry)
    return entry.value
  }

  const keep = (key: string, value: T): void => {
    const weight = weigh(value)
    if (weight > most) return
    entries.set(key, { value, weight })
    total += weight
    for (const [oldest, entry] of entries) {
      if (total <= most) return
      entries.delete(oldest)
      total -= entry.weight
    }
  }

  const make = async (key: string, build: () => Promise<T>): Promise<T> => {
    try {
      const value = await build()
      keep(key, value)
      return value
    } finally {
      making.delete(key)
    }
  }

  return {
    /** The cached value, if any. */
    peek,
    /** The cached value, or else a new one from `build`. Failures are not cached. */
    get: (key: string, build: () => Promise<T>): Promise<T> => {
      const known = peek(key)
      if (known !== undefined) return Promise.resolve(known)
      const made = making.get(key) ?? make(key, build)
      making.set(key, made)
      return made
    },
  }
}
