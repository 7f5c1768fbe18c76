import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { BASE_PATH } from './environment.ts'
import type { JobUser } from './job-user.ts'

/**
 * Commands in a sandbox by bubblewrap: a process namespace of their own, so that nothing outlives it and no other job can be
 * seen; the file system read-only but for the working directory, what else is writable and a private /tmp; the data
 * directory not there at all. The network is the host's. A command that ends by a signal has 128 + its number as exit code here.
 */
export type SandboxInput = {
  readonly argv: readonly string[]
  readonly workingDir: string
  /** Other directories of the command, seen though they lie in a hidden directory. */
  readonly writable: readonly string[]
  /** Files that must be seen though they lie in a hidden directory. */
  readonly shown: readonly string[]
  /** Directories that must not be seen. */
  readonly hidden: readonly string[]
  readonly asRoot: boolean
}

export const sandboxed = ({
  argv,
  workingDir,
  writable,
  shown,
  hidden,
  asRoot,
}: SandboxInput): [string, ...string[]] => [
  'bwrap',
  '--unshare-pid',
  '--unshare-ipc',
  '--die-with-parent',
  ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
  ...['/tmp', '/var/tmp', ...hidden].flatMap(path => ['--tmpfs', path]),
  // One that holds a hidden directory stays read-only: bound here it would bring that back.
  ...(hidden.some(path => isWithin(path, workingDir)) ? [] : ['--bind', workingDir, workingDir]),
  ...writable.flatMap(path => ['--bind', path, path]),
  ...shown.flatMap(path => ['--ro-bind', path, path]),
  ...(asRoot ? ['--cap-drop', 'ALL'] : []),
  ...['--chdir', workingDir, '--', ...argv],
]

/** True when `path` is `directory` or lies below it. Both absolute and without links. */
export const isWithin = (path: string, directory: string): boolean => {
  for (let current = path; ; current = dirname(current)) {
    if (current === directory) return true
    if (current === dirname(current)) return false
  }
}

/** Why commands cannot be sandboxed here, or null. */
export const findSandboxProblem = async (user: JobUser): Promise<string | null> => {
  const [file, ...argv] = sandboxed({
    argv: ['/bin/true'],
    workingDir: '/tmp',
    writable: [],
    shown: [],
    hidden: [],
    asRoot: user.uid === 0,
  })
  const identity = user.isOther ? { uid: user.uid, gid: user.gid } : {}
  try {
    await promisify(execFile)(file, argv, { env: { PATH: BASE_PATH }, timeout: 10_000, ...identity })
    return null
  } catch (error) {
    const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string }
    if (code === 'ENOENT') return 'bubblewrap (bwrap) is not installed'
    return `bubblewrap does not work here: ${stderr?.trim() || message}`
  }
}
