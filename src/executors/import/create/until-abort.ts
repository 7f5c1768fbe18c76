/** The content, until the signal ends it with its reason: a source that is silent is not waited for. */
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
    // A source that hangs would not hear of it before it goes on.
    void source.return?.().catch(ignore)
  }
}

/** Told by what is awaited instead. */
const ignore = (): void => {}
