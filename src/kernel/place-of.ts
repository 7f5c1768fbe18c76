import { type FileHandle, readlink, realpath } from 'node:fs/promises'

/** The real path of an open file. A directory on the way may have been swapped for a symbolic link between checking the path and opening it. */
export const placeOf = (file: FileHandle, path: string): Promise<string> =>
  process.platform === 'linux' ? readlink(`/proc/self/fd/${file.fd}`) : realpath(path)
