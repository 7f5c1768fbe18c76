import { AsyncLocalStorage } from 'node:async_hooks'

/** An item under way, as everything that runs on its behalf finds it. */
export type Item = {
  readonly number: number
  /** From the start to the report of its end: what is said later belongs to nobody. */
  open: boolean
}

/** Follows an item through all its callbacks and promises, so that none of its leftovers is taken for the next item. */
const scope = new AsyncLocalStorage<Item>()

export const runWithin = <T>(item: Item, work: () => T): T => scope.run(item, work)

/** The item on whose behalf this runs, unless it is over. */
export const currentItem = (): Item | null => {
  const item = scope.getStore()
  return item?.open ? item : null
}

/** True on behalf of an item that is over. */
export const isLeftover = (): boolean => scope.getStore()?.open === false
