/** A call's items in order; its outcomes are expected in the same order. */
type Call<Item, Outcome> = {
  readonly items: readonly Item[]
  readonly weight: number
  readonly resolve: (outcomes: readonly Outcome[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commit: calls that arrive while transactions run are gathered and share the next one. At most `atOnce` run at a time; a group weighs at most
 * `largest` unless a single call weighs more.
 */
export const gather = <Item, Outcome>(options: {
  readonly atOnce: number
  readonly largest: number
  readonly weigh: (item: Item) => number
  /** Whether one call of a group may have caused this failure. If so, each call is retried on its own. */
  readonly mayBeOfOne: (error: unknown) => boolean
  readonly run: (items: readonly Item[]) => Promise<readonly Outcome[]>
}): ((items: readonly Item[]) => Promise<readonly Outcome[]>) => {
  const waiting: Call<Item, Outcome>[] = []
  let running = 0

  const startNext = (): void => {
    while (running < options.atOnce && waiting.length > 0) {
      running++
      void runGroup(takeGroup(waiting, options.largest), options).then(() => {
        running--
        startNext()
      })
    }
  }
  return items =>
    new Promise((resolve, reject) => {
      const weight = items.reduce((sum, item) => sum + options.weigh(item), 0)
      waiting.push({ items, weight, resolve, reject })
      // Calls made in the same turn of the event loop share a group.
      if (running < options.atOnce) queueMicrotask(startNext)
    })
}

const takeGroup = <Call extends { readonly weight: number }>(waiting: Call[], largest: number): Call[] => {
  let calls = 0
  let weight = 0
  do weight += waiting[calls++]!.weight
  while (calls < waiting.length && weight + waiting[calls]!.weight <= largest)
  return waiting.splice(0, calls)
}

const runGroup = async <Item, Outcome>(
  group: readonly Call<Item, Outcome>[],
  options: {
    readonly run: (items: readonly Item[]) => Promise<readonly Outcome[]>
    readonly mayBeOfOne: (error: unknown) => boolean
  },
): Promise<void> => {
  try {
    const outcomes = await options.run(group.flatMap(call => call.items))
    let next = 0
    for (const { items, resolve } of group) {
      resolve(outcomes.slice(next, next + items.length))
      next += items.length
    }
  } catch (error) {
    if (group.length > 1 && options.mayBeOfOne(error)) for (const call of group) await runGroup([call], options)
    else for (const call of group) call.reject(error)
  }
}
