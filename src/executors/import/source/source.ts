import { Readable } from 'node:stream'

/** Content being fetched, as the source sends it. */
export type Source = {
  /** null: unknown. Known once the content has begun. */
  readonly size: () => number | null
  /** Read it only once. Stopping early closes the source. A part is valid until the next is requested. Throws `ImportFailure`, or the reason of the signal. */
  readonly content: AsyncIterable<Uint8Array>
  /** For messages and logs: without credentials. */
  readonly shown: string
}

/** Closes the source of content, even if nobody has begun to read it: a file left open crashes the whole server when its handle is garbage collected. */
export const leaveContent = (content: AsyncIterable<Uint8Array>): void => {
  if (content instanceof Readable) content.destroy()
}
