/** An answer, and all questions to which it is the answer: those from `low` to `high`. */
export type Answer = { readonly slot: number | null; readonly low: number; readonly high: number }

/**
 * Remembers the last answer. In a union each part is asked after every slot of the others: a yearly calendar beside an
 * hourly one would be searched for anew each time, and one that has ended to the end of time.
 */
export const remember = (search: (question: number) => Answer): ((question: number) => number | null) => {
  let last: Answer | null = null
  return question => {
    if (last === null || question < last.low || question > last.high) last = search(question)
    return last.slot
  }
}

/** The first slot from `from` on is the same for all instants up to that slot. */
export const nextAnswer = (from: number, slot: number | null): Answer => ({
  slot,
  low: from,
  high: slot ?? Number.POSITIVE_INFINITY,
})

/** The last slot up to `to` is the same for all instants down to that slot. */
export const previousAnswer = (to: number, slot: number | null): Answer => ({
  slot,
  low: slot ?? Number.NEGATIVE_INFINITY,
  high: to,
})
