import { MillraceError } from '../kernel/errors.ts'

export type Room = {
  /** Throws `unavailable` if all places are taken. Dispose of the result to free the place. */
  enter(): Disposable
}

/** Limits how many requests of a kind run at once, since each may need much memory. `what` names them in the refusal. */
export const createRoom = (places: number, what: string): Room => {
  let taken = 0
  return {
    enter: () => {
      if (taken >= places)
        throw new MillraceError('unavailable', `At most ${places} ${what} are answered here at once.`, {
          retryAfter: 1,
        })
      taken += 1
      return {
        [Symbol.dispose]: () => {
          taken -= 1
        },
      }
    },
  }
}
