import { link, mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../../kernel/ids.ts'
import { ID_BYTES, ID_NAME, type OwnedPlace } from '../owned-place.ts'
import { blobFolder, syncDirectory } from './blob-folder.ts'
import { toFolderFault } from './folder-fault.ts'
import { nullWhenMissing } from './null-when-missing.ts'

/** A blob folder as a place that bears an id. Does no I/O yet. */
export const ownedFolder = (root: string): OwnedPlace => {
  const path = join(root, ID_NAME)
  return {
    name: `The folder of blobs ${root}`,
    idAt: path,
    advice: 'Mount it, or name in MILLRACE_BLOB_URL the one that all servers of this database share.',
    stays: false,
    keptMs: 0,
    readId: () => inFolder(root, () => readId(path)),
    writeId: id => inFolder(root, () => writeId({ root, path, id })),
  }
}

const inFolder = async <T>(root: string, call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    throw toFolderFault(error, root)
  }
}

const readId = async (path: string): Promise<string | null> => {
  const file = await open(path).catch(nullWhenMissing)
  if (file === null) return null
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ID_BYTES), 0, ID_BYTES, 0)
    return buffer.toString('utf8', 0, bytesRead).trim() || null
  } finally {
    await file.close()
  }
}

type NewFile = { readonly root: string; readonly path: string; readonly id: string }

/** Atomic. A half-written file left by a crash is removed along with other unfinished ones. */
const writeId = async ({ root, path, id }: NewFile): Promise<void> => {
  if ((await readId(path)) !== null) return
  const { temporary, temporaryOf } = blobFolder(root, 'id')
  await mkdir(temporary, { recursive: true, mode: 0o700 })
  const unfinished = temporaryOf(newId())
  try {
    await writeFile(unfinished, `${id}\n`, { flag: 'wx', mode: 0o600, flush: true })
    await putInPlace(unfinished, path)
  } finally {
    await rm(unfinished, { force: true })
  }
  await syncDirectory(root)
}

const putInPlace = async (from: string, to: string): Promise<void> => {
  try {
    await link(from, to)
  } catch (error) {
    // Not all file systems support hard links. If two databases race with `rename`, the last one wins, and the other is refused at its next check.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rename(from, to)
  }
}
