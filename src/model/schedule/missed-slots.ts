/** The slots in a time span, such as those missed while no server fired them. */
export type MissedSlots = {
  readonly count: number
  /** false: there are more than `count`, too many to count one by one. */
  readonly isExact: boolean
  /** null: none. */
  readonly first: number | null
  readonly last: number | null
}

const NOTHING: MissedSlots = { count: 0, isExact: true, first: null, last: null }

/** The slots after `after`, up to and including `upTo`. Walks over at most `limit` of them. */
export const missedSlots = (input: {
  nextSlot: (after: number) => number | null
  previousSlot: (before: number) => number | null
  /** The number of slots if it can be computed without walking over them; otherwise null. */
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
