import type { Store } from '../../src/store/store.ts'
import type { Random } from '../chaos/random.ts'

/** The error a server gets from a call whose connection to the store broke. */
export class BrokenLink extends Error {}

export type Link = { readonly store: Store; cut(): void }

/** One call in so many finds the connection broken, half of them after the store has done what was asked. */
const FAULTS = 0.004

/** A server's connection to the store: calls or their answers get lost, and when the server dies all do. */
export const createLink = (store: Store, random: Random): Link => {
  let isCut = false
  const pass = (): void => {
    if (isCut || random.chance(FAULTS / 2)) throw new BrokenLink('the way to the store is broken')
  }
  const overLink =
    (call: (...input: never[]) => Promise<unknown>) =>
    async (...input: never[]) => {
      pass()
      const answer = await call(...input)
      pass()
      return answer
    }
  const methods = Object.entries(store).map(([name, call]) => [
    name,
    name === 'onSignal' ? call : overLink(call as (...input: never[]) => Promise<unknown>),
  ])
  return {
    store: Object.fromEntries(methods) as Store,
    cut: () => {
      isCut = true
    },
  }
}
