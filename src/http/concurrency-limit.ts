import { MillraceError } from '../kernel/errors.ts'

/** Takes a place. Throws `unavailable` if all are taken. Dispose of the result to free the place. */
export type ConcurrencyLimit = () => Disposable

/** Limits how many requests of a kind run at once, since each may need much memory. `what` names them in the refusal. */
export const limitConcurrency = (places: number, what: string): ConcurrencyLimit => {
  let taken = 0
  return () => {
    if (taken >= places)
      throw new MillraceError('unavailable', `This server answers at most ${places} ${what} at once.`, {
        retryAfter: 1,
      })
    taken += 1
    return {
      [Symbol.dispose]: () => {
        taken -= 1
      },
    }
  }
}
