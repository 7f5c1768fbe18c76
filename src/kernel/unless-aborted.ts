/**
 * What a promise gives, or throws; the reason of the signal as soon as that aborts. What the promise is of goes on, and nobody hears what
 * becomes of it: for work that cannot be told to end and leaves nothing that somebody must take away.
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
