const MOST = 1_000
const LONGEST_KEY = 4_096

/** Keeps what was found out about a text, so that a query that comes every second is not looked at every second. The oldest go first. */
export const remember = <T>(known: Map<string, T>, key: string, value: T): void => {
  if (key.length > LONGEST_KEY) return
  known.set(key, value)
  if (known.size > MOST) known.delete(known.keys().next().value!)
}
