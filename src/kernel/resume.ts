/** Continues a stream whose head has been read. Closing this stream closes the source. */
export async function* resume(
  head: readonly Uint8Array[],
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* head
    yield* { [Symbol.asyncIterator]: () => source }
  } finally {
    await source.return?.()
  }
}
