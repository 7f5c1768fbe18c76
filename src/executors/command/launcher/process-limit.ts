import { execFileSync } from 'node:child_process'
import { BASE_PATH } from '../../launched-process.ts'

/** From util-linux: available on almost every Linux, though not on some minimal ones. */
const PRLIMIT = 'prlimit'

/**
 * Limits the processes of the commands' user, across all commands: RLIMIT_NPROC counts per user, is inherited from this process, and does not limit this
 * process itself, which is root. For systems where no cgroup can limit each command. Returns whether the limit could be set.
 */
export const limitUserProcesses = (maxProcesses: number): boolean => {
  if (process.platform !== 'linux') return false
  try {
    const argv = ['--pid', String(process.pid), `--nproc=${maxProcesses}`]
    execFileSync(PRLIMIT, argv, { env: { PATH: BASE_PATH }, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
