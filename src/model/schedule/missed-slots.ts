/** Slots of a span of time, as those that passed while nobody fired them. */
export type MissedSlots = {
  readonly count: number
  /** false: there are more than `count`, too many to be counted one by one. */
  readonly isExact: boolean
  /** null: there is none. */
  readonly first: number | null
  readonly last: number | null
}

const NOTHING: MissedSlots = { count: 0, isExact: true, first: null, last: null }

/** The slots after `after` and up to `upTo`. Walks over `limit` of them at most. */
export const missedSlots = (input: {
  nextSlot: (after: number) => number | null
  previousSlot: (before: number) => number | null
  /** How many there are, where that can be told without walking over them; else null. */
  count: (after: number, upTo: number) => number | null
  after: number
  upTo: number
  limit: number
}): MissedSlots => {
  const { nextSlot, after, upTo, limit } = input
  const first = nextSlot(after)
  const last = input.previousSlot(Math.floor(upTo) + 1)
  if (first === null || last === null || first > last) return NOTHING
  const known = input.count(after, upTo)
  if (known !== null) return { count: known, isExact: true, first, last }
  let count = 1
  let slot = first
  while (slot < last && count < limit) {
    slot = nextSlot(slot)!
    count++
  }
  return { count, isExact: slot === last, first, last }
}
