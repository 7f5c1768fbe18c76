/** For files that may be missing. Rethrows every other error. */
export const nullWhenMissing = (error: NodeJS.ErrnoException): null => {
  if (error.code !== 'ENOENT') throw error
  return null
}
