import { constants } from 'node:fs'
import { lstat, open, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { placeOf } from '../../../kernel/place-of.ts'
import { ImportFailure } from '../import-failure.ts'
import type { Source } from './source.ts'

const READ_BYTES = 1024 * 1024

/** O_NONBLOCK: if the file has become a pipe, opening it would wait for a writer. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * A file below one of the folders that may be read, with links resolved: exactly the file that was checked, whatever happens to its path meanwhile. A file
 * outside them and a missing one get the same error, so that an import does not reveal which files the server has. Throws `ImportFailure`.
 */
export const fileSource = async (url: string, folders: readonly string[]): Promise<Source> => {
  const path = await findBelow(url, folders)
  if (path === null) throw refusal(url, folders)
  const file = await open(path, FLAGS)
  try {
    const status = await file.stat()
    if (!status.isFile() || (await placeOf(file, path)) !== path) throw refusal(url, folders)
    const content = file.createReadStream({ highWaterMark: READ_BYTES })
    return { size: () => status.size, content, shown: url }
  } catch (error) {
    await file.close()
    throw error
  }
}

const findBelow = async (url: string, folders: readonly string[]): Promise<string | null> => {
  try {
    const path = await realpath(fileURLToPath(url))
    const roots = await Promise.all(folders.map(folder => realpath(folder).catch(() => null)))
    if (!roots.some(root => root !== null && path.startsWith(root.endsWith(sep) ? root : root + sep))) return null
    return (await lstat(path)).isFile() ? path : null
  } catch {
    return null
  }
}

const refusal = (url: string, folders: readonly string[]): ImportFailure =>
  new ImportFailure(
    'source_refused',
    folders.length === 0
      ? 'This server reads no files: MILLRACE_IMPORT_DIRS names no folder.'
      : `${url} is not a file in the folders that this server may read (MILLRACE_IMPORT_DIRS).`,
  )
