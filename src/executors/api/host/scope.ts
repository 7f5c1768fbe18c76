import { AsyncLocalStorage } from 'node:async_hooks'

/** A running item, accessible from all code that runs on its behalf. */
export type Item = {
  readonly number: number
  /** True until its end is reported. Output after that is dropped. */
  open: boolean
}

/** Follows an item through its callbacks and promises, so that its leftovers are not attributed to the next item. */
const scope = new AsyncLocalStorage<Item>()

export const runWithin = <T>(item: Item, work: () => T): T => scope.run(item, work)

/** The item this code runs for, unless it has ended. */
export const currentItem = (): Item | null => {
  const item = scope.getStore()
  return item?.open ? item : null
}

/** True if this code runs for an item that has ended. */
export const isLeftover = (): boolean => scope.getStore()?.open === false
