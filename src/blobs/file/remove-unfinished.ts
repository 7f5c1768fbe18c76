import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobFolder } from './blob-folder.ts'

/**
 * Removes what a writer that is gone has not finished. Others write in the same folder, and tell each other's by the mark alone.
 * What cannot be removed now, `listOlderThan` removes in a day.
 */
export const removeUnfinishedOf = async ({ temporary }: BlobFolder, writer: string): Promise<void> => {
  const names = await readdir(temporary)
  const left = names.filter(name => name.startsWith(`${writer}.`))
  await Promise.allSettled(left.map(name => rm(join(temporary, name), { force: true })))
}
