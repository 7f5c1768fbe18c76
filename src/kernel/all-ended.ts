/** `Promise.all` that also waits for the others when one fails, so nothing is still running when it settles. */
export const allEnded = async <T>(promises: readonly Promise<T>[]): Promise<T[]> => {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}
