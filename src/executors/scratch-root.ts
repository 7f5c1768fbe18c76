import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Creates a directory for what jobs use if it does not exist or no longer exists: processes of the server's own user can do anything to it, and cleaners of
 * /var/tmp remove it. Anyone may create entries there, so an existing one is only ours if it is a directory owned by this user. In the data directory, a file
 * or symlink in its place was made by a job.
 */
export const ensureScratchRoot = (path: string, { isOther }: { readonly isOther: boolean }): void => {
  const mode = isOther ? 0o711 : 0o700
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() && found.uid === process.getuid?.()) {
    if ((found.mode & 0o7777) !== mode) chmodSync(path, mode)
    return
  }
  if (found?.isDirectory() || (found !== undefined && isOther)) throw new Error(`${path} is not the server's`)
  if (found !== undefined) unlinkSync(path)
  mkdirSync(path, { mode })
  chmodSync(path, mode)
}

/** Removes what an earlier run left. */
export const emptyScratchRoot = async (path: string, removeTree: (path: string) => Promise<void>): Promise<void> => {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name)
    if (entry.isDirectory()) await removeTree(inside)
    else rmSync(inside, { force: true })
  }
}
