import { MillraceError } from '../kernel/errors.ts'
import type { Store } from './store.ts'

/** Called after each store operation with its name, its duration and whether it failed. A refusal is not a failure. */
export type ObserveOperation = (operation: string, milliseconds: number, failed: boolean) => void

/** Wraps a store to measure every operation. Covers all methods generically, so that none can be forgotten. */
export const instrument = (store: Store, observe: ObserveOperation): Store => {
  const measured = new Map<PropertyKey, unknown>()
  return new Proxy(store, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function' || typeof name === 'symbol') return method
      if (!measured.has(name)) measured.set(name, wrap(name, method.bind(target), observe))
      return measured.get(name)
    },
  })
}

const NOT_OPERATIONS: ReadonlySet<string> = new Set<keyof Store>(['onSignal', 'close'])

type Operation = (...input: unknown[]) => Promise<unknown>

const wrap = (name: string, method: Operation, observe: ObserveOperation): Operation =>
  NOT_OPERATIONS.has(name) ? method : measure(name, method, observe)

const measure =
  (operation: string, perform: Operation, observe: ObserveOperation): Operation =>
  async (...input) => {
    const start = performance.now()
    let failed = false
    try {
      return await perform(...input)
    } catch (error) {
      failed = !(error instanceof MillraceError)
      throw error
    } finally {
      observe(operation, performance.now() - start, failed)
    }
  }
