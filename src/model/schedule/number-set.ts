/**
 * A set of numbers from 0 to a limit below 127, as tables: `next[n]` is the smallest member at or above `n`, `previous[n]` the largest at or below `n`, `NONE`
 * if there is none. `next[size]` is valid, `previous[-1]` is not: use `last` instead.
 */
export type NumberSet = {
  readonly next: Int8Array
  readonly previous: Int8Array
  readonly first: number
  readonly last: number
}

export const NONE = -1

/** The set of the numbers below `size` for which `has` returns true. */
export const numberSet = (size: number, has: (value: number) => boolean): NumberSet => {
  const next = new Int8Array(size + 1).fill(NONE)
  const previous = new Int8Array(size).fill(NONE)
  for (let value = size - 1; value >= 0; value--) next[value] = has(value) ? value : next[value + 1]!
  for (let value = 0; value < size; value++)
    previous[value] = next[value] === value ? value : value === 0 ? NONE : previous[value - 1]!
  return { next, previous, first: next[0]!, last: previous[size - 1]! }
}

export const contains = (set: NumberSet, value: number): boolean => set.next[value] === value

/** The members in ascending order. */
export const members = (set: NumberSet): readonly number[] => {
  const values: number[] = []
  for (let value = set.first; value !== NONE; value = set.next[value + 1]!) values.push(value)
  return values
}
