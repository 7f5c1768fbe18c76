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
