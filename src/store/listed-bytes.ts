/** Of the texts of one page of a list: a definition may have megabytes, and a page hundreds of them. */
export const MOST_LISTED_BYTES = 32 * 1024 * 1024

/** How many rows a page has: one at least, and no more than have so many bytes together. */
export const rowsWithin = (most: number, sizes: readonly number[]): number => {
  let bytes = 0
  const index = sizes.findIndex(size => {
    bytes += size
    return bytes > most
  })
  return index < 0 ? sizes.length : Math.max(1, index)
}
