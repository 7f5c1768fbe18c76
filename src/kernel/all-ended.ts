/** `Promise.all` that waits for the others, too, when one has failed: nothing runs any more when it is over. */
export const allEnded = async <T>(promises: readonly Promise<T>[]): Promise<T[]> => {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}
