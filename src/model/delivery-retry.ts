/** How long a delivery is tried, from its first try or its last redelivery. */
const DAY_MS = 24 * 3_600_000
/** When a clock jumps ahead, a few tries must not count as a day. */
const FEWEST_TRIES = 8

const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 3_600_000
const SHORTEST_WAIT_MS = 1_000

/**
 * The wait after a failed try, in ms; null: give up. Random between one second and the time spent so far (at least 5 s, at most an hour), so that waits grow
 * exponentially and a recovered receiver is not hit by all deliveries at once. `random` is from 0 to 1.
 */
export const deliveryRetry = (input: { triedForMs: number; tries: number; random: number }): number | null => {
  const { triedForMs, tries, random } = input
  if (triedForMs >= DAY_MS && tries >= FEWEST_TRIES) return null
  const longest = Math.min(Math.max(triedForMs, FIRST_WAIT_MS), LONGEST_WAIT_MS)
  return Math.round(SHORTEST_WAIT_MS + random * (longest - SHORTEST_WAIT_MS))
}
