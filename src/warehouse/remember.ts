const MOST = 1_000
const LONGEST_KEY = 4_096

/** Caches a finding about a text, so that a query sent every second is not analysed every second. Evicts the oldest entry. */
export const remember = <T>(known: Map<string, T>, key: string, value: T): void => {
  if (key.length > LONGEST_KEY) return
  known.set(key, value)
  if (known.size > MOST) known.delete(known.keys().next().value!)
}
