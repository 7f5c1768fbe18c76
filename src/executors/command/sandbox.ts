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
  /** Whether commands may exchange it, or what is above it, for a link. */
  readonly isMovable?: boolean
  /** Other directories of the command, seen though they lie in a hidden directory. */
  readonly writable: readonly string[]
  /** Files that must be seen though they lie in a hidden directory. */
  readonly shown: readonly string[]
  /** Directories that must not be seen. */
  readonly hidden: readonly string[]
  readonly asRoot: boolean
  /** Of another user than the server's, who cannot enter what is hidden. */
  readonly asOther: boolean
}

export const sandboxed = (input: SandboxInput): [string, ...string[]] => {
  const { argv, workingDir, hidden, asRoot } = input
  return [
    ...(input.isMovable ? withoutHidden(input) : []),
    'bwrap',
    '--unshare-pid',
    '--unshare-ipc',
    '--die-with-parent',
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
    ...['/tmp', '/var/tmp', ...hidden].flatMap(path => ['--tmpfs', path]),
    // One that holds a hidden directory stays read-only: bound here it would bring that back.
    ...(hidden.some(path => isWithin(path, workingDir)) ? [] : ['--bind', workingDir, workingDir]),
    ...kept(input),
    ...(asRoot ? ['--cap-drop', 'ALL'] : []),
    ...['--chdir', workingDir, '--', ...argv],
  ] as [string, ...string[]]
}

/**
 * A sandbox around the sandbox, in which there are neither hidden directories nor processes of others: whatever a path leads to by the time bubblewrap
 * binds it, it does not lead there. What was looked at before may have been exchanged for a link.
 */
const withoutHidden = (input: SandboxInput): readonly string[] => [
  'bwrap',
  '--unshare-pid',
  // SIGTERM, which every process of a command gets, does nothing to the first one of a namespace: the sandbox inside is to stay.
  '--as-pid-1',
  '--die-with-parent',
  ...['--dev-bind', '/', '/', '--proc', '/proc'],
  ...(input.asOther ? [] : input.hidden).flatMap(path => ['--tmpfs', path]),
  ...kept(input),
  ...(input.asRoot ? ['--cap-add', 'ALL'] : []),
  '--',
]

const kept = ({ writable, shown }: SandboxInput): readonly string[] => [
  ...writable.flatMap(path => ['--bind', path, path]),
  ...shown.flatMap(path => ['--ro-bind', path, path]),
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
    asOther: user.isOther,
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
