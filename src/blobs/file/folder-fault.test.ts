import { expect, test } from 'vitest'
import { toFolderFault } from './folder-fault.ts'

const ofSystem = (code: string, errno: number) =>
  Object.assign(new Error(`${code}: told by the system`), { code, errno, syscall: 'open' })

test.each([
  ['EACCES', -13, 'permission denied', 'The user of the server must be able to write there.'],
  ['EROFS', -30, 'read-only file system', 'The file system must be mounted for writing.'],
  ['ENOENT', -2, 'no such file or directory', 'It does not exist: mount it, or create it.'],
  ['EMFILE', -24, 'too many open files', 'raise its limit (ulimit -n)'],
  ['EIO', -5, 'i/o error', 'Check the disk'],
  ['ERR_FS_EISDIR', 21, 'illegal operation on a directory', 'Check the disk'],
])('%s names the folder and what to do', (code, errno, said, advice) => {
  const error = ofSystem(code, errno)
  expect(toFolderFault(error, '/data/blobs')).toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining(
      `The folder of blobs /data/blobs does not take or give content (${code}: ${said}). `,
    ),
    retryAfter: 5,
    cause: error,
  })
  expect((toFolderFault(error, '/data/blobs') as Error).message).toContain(advice)
})

test.each([
  ['a full disk', ofSystem('ENOSPC', -28)],
  ['a quota', ofSystem('EDQUOT', -122)],
  ['an error that is not of the system', new Error('The file became shorter while it was hashed.')],
  ['a reason of an abort', 'cancelled'],
])('%s is left as it is', (_, error) => {
  expect(toFolderFault(error, '/data/blobs')).toBe(error)
})
