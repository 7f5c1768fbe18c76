import { type FileHandle, readlink, realpath } from 'node:fs/promises'

/** Where an open file lies now: between a look at its path and its opening, a directory on the way may have been exchanged for a link. */
export const placeOf = (file: FileHandle, path: string): Promise<string> =>
  process.platform === 'linux' ? readlink(`/proc/self/fd/${file.fd}`) : realpath(path)
