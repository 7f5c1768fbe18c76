import { constants } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../../kernel/errors.ts'
import { placeOf } from '../../kernel/place-of.ts'
import { artifactNameFault } from '../../model/artifact-name.ts'
import type { ArtifactFault } from './artifact-faults.ts'
import { type FileReader, type FoundFile, findFiles, mayAccess } from './find-files.ts'

type Input = {
  readonly globs: readonly string[]
  /** Where the command was started. Contained no symlinks at that time. */
  readonly directory: string
  /** Whose file permissions apply. Null: the command had the server's own rights. */
  readonly reader: FileReader | null
  /** Directories of the server. Nothing in them is an artifact. */
  readonly forbidden: readonly string[]
  /** Once true, nothing more is collected. */
  readonly stopped: () => boolean
  readonly add: (file: { name: string; path: string }) => Promise<unknown>
}

/** A glob like `**` above a large tree is a mistake to report, not to carry out. */
const MOST_FILES = 10_000

/**
 * Collects regular files below the working directory whose relative path matches a glob. Returns those that could not be collected. The server may have
 * more rights than the command, so it only takes files that the command's user may read, follows no symlinks (not even in place of the directory itself),
 * and reads the very file it checked, whatever other jobs of that user do to the path meanwhile. Rejects if it cannot continue.
 */
export const collectArtifacts = async (input: Input): Promise<readonly ArtifactFault[]> => {
  if (!(await isThere(input.directory))) return []
  const files: FoundFile[] = []
  for await (const file of findFiles({ ...input, root: input.directory })) {
    if (files.push(file) > MOST_FILES) throw new Error(`more than ${MOST_FILES} files match the patterns`)
  }
  const faults: ArtifactFault[] = []
  for (const file of files.sort(byName)) {
    if (input.stopped()) break
    const what = await addFile(file, input)
    if (what !== null) faults.push({ path: file.path, what })
  }
  return faults
}

/** A command may do anything to its directory; a missing directory has no artifacts. Throws if the path now leads to another place. */
const isThere = async (directory: string): Promise<boolean> => {
  try {
    const isDirectory = (await lstat(directory)).isDirectory()
    if (isDirectory && (await realpath(directory)) === directory) return true
  } catch (error) {
    if (GONE.has((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
  throw new Error('the working directory was replaced by a file or a link, and links are not followed')
}

const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES'])

const byName = (one: FoundFile, other: FoundFile): number =>
  one.name < other.name ? -1 : one.name > other.name ? 1 : Buffer.compare(one.path, other.path)

/** Adds one file. Returns why it could not be added, or null. */
const addFile = async ({ path: bytes, name }: FoundFile, { directory, reader, add }: Input): Promise<string | null> => {
  const fault = bytes.equals(Buffer.from(name)) ? artifactNameFault(name) : 'must be UTF-8'
  if (fault !== null) return `(the name of an artifact ${fault})`
  const path = join(directory, name)
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE') throw error
    return `cannot be opened (${code})`
  }
  try {
    const status = await file.stat()
    if (!status.isFile() || (await placeOf(file, path)) !== path) return 'was moved while it was read'
    if (!mayAccess(status, reader, 0o4)) return 'cannot be read by the user of the command'
    await add({ name, path: process.platform === 'linux' ? `/proc/self/fd/${file.fd}` : path })
    return null
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'too_large')
      return `is too large: ${error.message.replace(/\.$/, '')}`
    throw error
  } finally {
    await file.close()
  }
}
