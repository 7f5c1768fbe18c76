import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobFolder } from './blob-folder.ts'

/**
 * Removes the unfinished files of a writer that is gone. Other processes write to the same folder, and only the mark tells their files apart. What cannot be
 * removed now, `listOlderThan` removes within a day.
 */
export const removeUnfinishedOf = async ({ temporary }: BlobFolder, writer: string): Promise<void> => {
  const names = await readdir(temporary)
  const left = names.filter(name => name.startsWith(`${writer}.`))
  await Promise.allSettled(left.map(name => rm(join(temporary, name), { force: true })))
}
