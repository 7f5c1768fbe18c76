/**
 * Settles as the promise does, or rejects with the signal's reason as soon as it aborts. The underlying work continues and its outcome is dropped, so
 * use this only for work that cannot be cancelled and leaves nothing to clean up.
 */
export const unlessAborted = async <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> => {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    return await Promise.race([aborted.promise, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
