/** Limit on the total text of one page: a definition may be megabytes long, and a page holds hundreds. */
export const MOST_LISTED_BYTES = 32 * 1024 * 1024

/** How many rows fit a page: at least one, and no more than fit the byte limit together. */
export const rowsWithin = (most: number, sizes: readonly number[]): number => {
  let bytes = 0
  const index = sizes.findIndex(size => {
    bytes += size
    return bytes > most
  })
  return index < 0 ? sizes.length : Math.max(1, index)
}
