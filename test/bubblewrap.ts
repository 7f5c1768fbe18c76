import { execFileSync } from 'node:child_process'

/** Whether the program runs here; what it says is not looked at. */
export const works = (file: string, argv: readonly string[]): boolean => {
  try {
    execFileSync(file, argv, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A program in a sandbox, as the server starts commands in one. */
export const SANDBOXED = ['--unshare-pid', '--ro-bind', '/', '/', '/bin/true'] as const

export const hasBubblewrap = works('bwrap', SANDBOXED)
