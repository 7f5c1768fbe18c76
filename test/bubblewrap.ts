import { execFileSync } from 'node:child_process'

/** Whether the program runs here; its output is ignored. */
export const works = (file: string, argv: readonly string[]): boolean => {
  try {
    execFileSync(file, argv, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A program in a sandbox, started as the server starts commands. */
export const SANDBOXED = ['--unshare-pid', '--ro-bind', '/', '/', '/bin/true'] as const

export const hasBubblewrap = works('bwrap', SANDBOXED)
