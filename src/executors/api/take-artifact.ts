import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { artifactNameFault } from '../../model/artifact-name.ts'
import type { ExecutionContext } from '../executor.ts'
import { artifactFileOf } from './host-protocol.ts'

type Input = {
  readonly name: unknown
  readonly call: number
  /** The host's directory. */
  readonly directory: string
  /** Uid of the host's user. */
  readonly uid: number
  readonly add: ExecutionContext['addArtifact']
}

/**
 * Stores a file that a host left in its directory. The server may have more rights than the host: it only accepts a regular file owned by the host's
 * user, follows no symlinks, and reads the very file it checked.
 */
export const takeArtifact = async ({ name, call, directory, uid, add }: Input): Promise<'added' | 'name_taken'> => {
  if (typeof name !== 'string') throw new Error('The name of an artifact must be a text.')
  const fault = artifactNameFault(name)
  if (fault !== null) throw new Error(`The name of an artifact ${fault}.`)
  const path = join(directory, artifactFileOf(call))
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const status = await file.stat()
    if (!status.isFile() || status.uid !== uid) throw new Error('The file of an artifact was exchanged.')
    return await add({ name, path: process.platform === 'linux' ? `/proc/self/fd/${file.fd}` : path })
  } finally {
    await file.close()
  }
}
