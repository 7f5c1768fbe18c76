import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { ExecutorProblem } from '../executor.ts'
import { BASE_PATH } from '../launched-process.ts'
import type { JobUser } from './job-user.ts'

/**
 * Runs commands in a bubblewrap sandbox. A separate pid namespace ensures that no process outlives it and that other jobs are invisible. The file system
 * is read-only except for the working directory, the other writable directories and a private /tmp. The data directory is not visible at all. The network
 * is the host's. The exit code of a command killed by a signal is 128 + the signal number.
 */
export type SandboxInput = {
  readonly argv: readonly string[]
  readonly workingDir: string
  /** Whether commands may replace it, or a directory above it, with a symlink. */
  readonly isMovable?: boolean
  /** Other directories of the command, visible even inside a hidden directory. */
  readonly writable: readonly string[]
  /** Files that must be visible even inside a hidden directory. */
  readonly shown: readonly string[]
  /** Directories that must not be visible. */
  readonly hidden: readonly string[]
  readonly asRoot: boolean
  /** Whether commands run as a user other than the server's, who cannot enter the hidden directories. */
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
    // A working directory that contains a hidden one stays read-only: binding it would make the hidden one visible again.
    ...(hidden.some(path => isWithin(path, workingDir)) ? [] : ['--bind', workingDir, workingDir]),
    ...kept(input),
    ...(asRoot ? ['--cap-drop', 'ALL'] : []),
    ...['--chdir', workingDir, '--', ...argv],
  ] as [string, ...string[]]
}

/**
 * An outer sandbox that has no hidden directories and no other processes. The checked path may since have been replaced with a symlink; wherever it leads
 * when bubblewrap binds it, it cannot lead there.
 */
const withoutHidden = (input: SandboxInput): readonly string[] => [
  'bwrap',
  '--unshare-pid',
  // SIGTERM goes to every process of a command, but has no effect on the first one of a namespace: the inner sandbox is to stay alive.
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

/** True if `path` is `directory` or lies below it. Both are absolute and without symlinks. */
export const isWithin = (path: string, directory: string): boolean => {
  for (let current = path; ; current = dirname(current)) {
    if (current === directory) return true
    if (current === dirname(current)) return false
  }
}

/** What sandboxed commands, or those of them with a `working_dir`, cannot do here. */
export const findSandboxProblems = async (user: JobUser): Promise<readonly ExecutorProblem[]> => {
  const problem = await findSandboxProblem(user)
  if (problem !== null) return [{ severity: 'unavailable', message: `MILLRACE_SANDBOX=bubblewrap: ${problem}.` }]
  const nested = await findSandboxProblem(user, { isMovable: true })
  if (nested === null) return []
  const message = `Commands with a working_dir fail, because the system refuses a sandbox within a sandbox: ${nested}.`
  return [{ severity: 'warning', message }]
}

/** Why commands cannot be sandboxed here, or null. `isMovable`: those with a `working_dir`, which need a sandbox within a sandbox. */
export const findSandboxProblem = async (
  user: JobUser,
  { isMovable = false }: Pick<SandboxInput, 'isMovable'> = {},
): Promise<string | null> => {
  const [file, ...argv] = sandboxed({
    argv: ['/bin/true'],
    workingDir: '/tmp',
    isMovable,
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
