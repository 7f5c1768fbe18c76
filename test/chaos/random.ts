/** Random numbers that a seed repeats, so that a failed run can be repeated. */
export type Random = {
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number
  /** One of the choices. */
  pick<T>(choices: readonly T[]): T
  /** True with this probability, 0…1. */
  chance(share: number): boolean
  /** A stream of its own that does not affect this one. */
  fork(): Random
}

/** Mulberry32: small, quick, good enough to choose moments. */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    between,
    pick: choices => choices[between(0, choices.length - 1)]!,
    chance: share => next() < share,
    fork: () => createRandom(between(0, 2 ** 31)),
  }
}
