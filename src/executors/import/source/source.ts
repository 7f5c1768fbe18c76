import { Readable } from 'node:stream'

/** Content that is fetched, as its source gives it. */
export type Source = {
  /** null: it does not say. Known when the content has begun. */
  readonly size: () => number | null
  /**
   * To be read once; leaving it ends what it comes from. A part is valid until the next is asked for. Throws `ImportFailure`, or the reason of
   * the signal.
   */
  readonly content: AsyncIterable<Uint8Array>
  /** In messages and logs: without credentials. */
  readonly shown: string
}

/**
 * Ends what content comes from, also where nobody has begun to read it: a file that is left open ends the whole server when its handle is
 * collected.
 */
export const leaveContent = (content: AsyncIterable<Uint8Array>): void => {
  if (content instanceof Readable) content.destroy()
}
