import { execFileSync } from 'node:child_process'

/** util-linux: on every Linux, if seldom on a small one. */
const PRLIMIT = 'prlimit'

/**
 * Bounds the processes of the commands' user, all commands together: RLIMIT_NPROC counts per user, is inherited from this
 * process and does not hold this process itself, which is root. For systems where no cgroup can bound each command.
 * Returns whether it could be set.
 */
export const limitUserProcesses = (maxProcesses: number): boolean => {
  if (process.platform !== 'linux') return false
  try {
    const argv = ['--pid', String(process.pid), `--nproc=${maxProcesses}`]
    execFileSync(PRLIMIT, argv, { env: { PATH: '/usr/bin:/bin' }, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
