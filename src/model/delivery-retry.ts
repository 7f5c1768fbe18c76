/** How long a delivery is tried, from its first try or its last redelivery on. */
const DAY_MS = 24 * 3_600_000
/** A clock that jumps ahead does not make a day of a few tries. */
const FEWEST_TRIES = 8

const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 3_600_000
const SHORTEST_WAIT_MS = 1_000

/**
 * The wait after a try that did not succeed, ms; null: it is given up. At random up to as long as has been tried already
 * (5 s at first, an hour at most), so that the waits double and receivers that come back are not met by all at once.
 * `random` is from 0 to 1.
 */
export const deliveryRetry = (input: { triedForMs: number; tries: number; random: number }): number | null => {
  const { triedForMs, tries, random } = input
  if (triedForMs >= DAY_MS && tries >= FEWEST_TRIES) return null
  const longest = Math.min(Math.max(triedForMs, FIRST_WAIT_MS), LONGEST_WAIT_MS)
  return Math.round(SHORTEST_WAIT_MS + random * (longest - SHORTEST_WAIT_MS))
}
