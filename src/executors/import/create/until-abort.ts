/** The content, until the signal aborts it with its reason, without waiting for a silent source. */
export async function* untilAbort(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const source = content[Symbol.asyncIterator]()
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(ignore)
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    signal.throwIfAborted()
    for (;;) {
      const next = await Promise.race([source.next(), aborted.promise])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // Not awaited: a source that hangs would not react.
    void source.return?.().catch(ignore)
  }
}

/** Reported by what is awaited instead. */
const ignore = (): void => {}
