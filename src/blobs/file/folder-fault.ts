import { getSystemErrorMessage } from 'node:util'
import { isDiskFull, MillraceError } from '../../kernel/errors.ts'

/**
 * Converts a system error of a blob folder that is unreachable or refuses to `storage_unavailable`. Disk-full errors, and errors that do not come from the
 * system, are returned unchanged.
 */
export const toFolderFault = (error: unknown, root: string): unknown => {
  if (!isSystemError(error) || isDiskFull(error)) return error
  // Node's errno is negative, except in some errors that it creates itself (`ERR_FS_EISDIR`).
  const said = `${error.code}: ${getSystemErrorMessage(-Math.abs(error.errno))}`
  const message = `The folder of blobs ${root} does not take or give content (${said}). ${adviceFor(error.code)}`
  return new MillraceError('storage_unavailable', message, { retryAfter: RETRY_AFTER_S, cause: error })
}

const RETRY_AFTER_S = 5

type SystemError = Error & { readonly code: string; readonly errno: number }

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'syscall' in error && 'code' in error && 'errno' in error && typeof error.errno === 'number'

const adviceFor = (code: string): string => {
  if (code === 'EACCES' || code === 'EPERM') return 'The user of the server must be able to write there.'
  if (code === 'EROFS') return 'The file system must be mounted for writing.'
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'It does not exist: mount it, or create it.'
  if (code === 'EMFILE' || code === 'ENFILE') return 'The server has too many files open: raise its limit (ulimit -n).'
  return 'Check the disk, and the connection to it when it is on another machine.'
}
