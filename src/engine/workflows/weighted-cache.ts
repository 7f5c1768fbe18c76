type Options<T> = {
  /** What all values together may weigh. One that alone weighs more is made and given, but not kept. */
  readonly most: number
  readonly weigh: (value: T) => number
}

type Entry<T> = { readonly value: T; readonly weight: number }

/** A cache bounded by weight that drops what has not been used for longest. Asked twice at once for one key it makes one value. */
export const createWeightedCache = <T>({ most, weigh }: Options<T>) => {
  // A Map iterates in order of insertion; what is used is inserted anew.
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
    /** The value of the key when it is there. */
    peek,
    /** The value of the key, made when it is not there. A failure is not kept. */
    get: (key: string, build: () => Promise<T>): Promise<T> => {
      const known = peek(key)
      if (known !== undefined) return Promise.resolve(known)
      const made = making.get(key) ?? make(key, build)
      making.set(key, made)
      return made
    },
  }
}
