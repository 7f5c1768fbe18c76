import { MillraceError } from '../kernel/errors.ts'

export type Room = {
  /** Throws `unavailable` when there is none left. To be disposed of. */
  enter(): Disposable
}

/** So many at once, of what `what` calls by name: each may take much memory. */
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
