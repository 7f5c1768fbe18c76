import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The paths of one engine's files. */
export type EngineFolder = {
  /** The root: the only folder the engine may write to. */
  readonly path: string
  readonly data: string
  readonly lock: string
  readonly spool: string
  /** Mode 0700; contains only the socket. */
  readonly run: string
  readonly socket: string
  /** Removes everything outside `path`. */
  release(): void
}

/** The longest path that fits into a unix socket address (`sun_path`), without the terminating zero. */
const MAX_SOCKET_PATH_BYTES = 107

/** Names that are safe as a single path segment. */
const WORKSPACE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/

type Place = { readonly dataDir: string; readonly workspace: string }

/**
 * Creates missing folders. If the path of the data directory is too long for a socket address, the socket goes into a folder in the system's temporary
 * directory.
 */
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

/** Where the server puts content for an engine to read. It is inside the one folder that the engine can access. */
export const makeImportFolder = (place: Place): string => {
  const path = join(pathOf(place), 'imports')
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

const pathOf = ({ dataDir, workspace }: Place): string => {
  if (!WORKSPACE.test(workspace)) throw new TypeError(`${JSON.stringify(workspace)} cannot be the name of a folder`)
  return join(dataDir, 'warehouse', workspace)
}
