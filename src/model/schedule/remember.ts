/** An answer and the questions it holds for: those from `low` to `high`. */
export type Answer = { readonly slot: number | null; readonly low: number; readonly high: number }

/**
 * Caches the last answer. In a union, each part is asked after every slot of the others. Without the cache, a yearly calendar beside an hourly one would be
 * searched every time, and one that has ended to the end of time.
 */
export const remember = (search: (question: number) => Answer): ((question: number) => number | null) => {
  let last: Answer | null = null
  return question => {
    if (last === null || question < last.low || question > last.high) last = search(question)
    return last.slot
  }
}

/** The first slot at or after `from` is the same for all instants up to that slot. */
export const nextAnswer = (from: number, slot: number | null): Answer => ({
  slot,
  low: from,
  high: slot ?? Number.POSITIVE_INFINITY,
})

/** The last slot at or before `to` is the same for all instants down to that slot. */
export const previousAnswer = (to: number, slot: number | null): Answer => ({
  slot,
  low: slot ?? Number.NEGATIVE_INFINITY,
  high: to,
})
