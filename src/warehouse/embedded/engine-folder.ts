import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where one engine's files are. */
export type EngineFolder = {
  /** All of it: the one folder that the engine may write. */
  readonly path: string
  readonly data: string
  readonly lock: string
  readonly spool: string
  /** Of mode 0700; holds the socket alone. */
  readonly run: string
  readonly socket: string
  /** Removes what is not below `path`. */
  release(): void
}

/** What fits into the kernel's address of a unix socket, without the closing zero. */
const MAX_SOCKET_PATH_BYTES = 107

/** Names that are folders of their own and nothing else. */
const WORKSPACE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/

type Place = { readonly dataDir: string; readonly workspace: string }

/** Makes what is missing. A data directory of a long name has its sockets in a folder of the system's temporary one. */
export const openEngineFolder = (place: Place): EngineFolder => {
  const path = pathOf(place)
  for (const folder of ['data', 'spool', 'run']) mkdirSync(join(path, folder), { recursive: true, mode: 0o700 })
  const near = join(path, 'run')
  const fits = Buffer.byteLength(join(near, 'engine.sock')) <= MAX_SOCKET_PATH_BYTES
  const run = fits ? near : mkdtempSync(join(tmpdir(), 'millrace-'))
  return {
    path,
    data: join(path, 'data'),
    lock: join(path, 'lock'),
    spool: join(path, 'spool'),
    run,
    socket: join(run, 'engine.sock'),
    release: () => {
      if (!fits) rmSync(run, { recursive: true, force: true })
    },
  }
}

/** Where the server puts content for an engine to read; within the one folder that the engine reaches. */
export const makeImportFolder = (place: Place): string => {
  const path = join(pathOf(place), 'imports')
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

const pathOf = ({ dataDir, workspace }: Place): string => {
  if (!WORKSPACE.test(workspace)) throw new TypeError(`${JSON.stringify(workspace)} cannot be the name of a folder`)
  return join(dataDir, 'warehouse', workspace)
}
