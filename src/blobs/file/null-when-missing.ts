/** For what may not be there: throws every other error. */
export const nullWhenMissing = (error: NodeJS.ErrnoException): null => {
  if (error.code !== 'ENOENT') throw error
  return null
}
