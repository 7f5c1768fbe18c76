import { lstat, open, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ImportFailure } from '../import-failure.ts'
import type { Source } from './source.ts'

const READ_BYTES = 1024 * 1024

/**
 * A file below one of the folders that may be read, links resolved. Whether one is outside of them or not there is not told apart: an import must not
 * say what files the server has. Throws `ImportFailure`.
 */
export const fileSource = async (url: string, folders: readonly string[]): Promise<Source> => {
  const path = await findBelow(url, folders)
  if (path === null)
    throw new ImportFailure(
      'source_refused',
      folders.length === 0
        ? 'This server reads no files: MILLRACE_IMPORT_DIRS names no folder.'
        : `${url} is no file below the folders that this server reads (MILLRACE_IMPORT_DIRS).`,
    )
  const file = await open(path)
  const { size } = await file.stat().catch(async error => {
    await file.close()
    throw error
  })
  const content = file.createReadStream({ highWaterMark: READ_BYTES })
  return { size: () => size, content, shown: url }
}

const findBelow = async (url: string, folders: readonly string[]): Promise<string | null> => {
  try {
    const path = await realpath(fileURLToPath(url))
    const roots = await Promise.all(folders.map(folder => realpath(folder).catch(() => null)))
    if (!roots.some(root => root !== null && path.startsWith(root.endsWith(sep) ? root : root + sep))) return null
    // Opening a pipe would wait for somebody to write into it.
    return (await lstat(path)).isFile() ? path : null
  } catch {
    return null
  }
}
