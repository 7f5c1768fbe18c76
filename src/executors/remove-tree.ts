import { rm, rmdir } from 'node:fs/promises'
import type { Logger } from '../kernel/logger.ts'

type Tools = {
  /** Runs a program as the user that jobs run as. */
  readonly launcher: { run(program: ReturnType<typeof removal>): { readonly ended: Promise<unknown> } }
  readonly user: { readonly isOther: boolean }
  readonly logger: Logger
}

/**
 * Removes a directory with what a job left in it. Another user's tree is removed with that user's rights: other
 * processes of that user could put a link in the way of a server that removes as root. What resists (it is removed when
 * the server starts next) is no failure of the job.
 */
export const removeTree = async (path: string, { launcher, user, logger }: Tools): Promise<void> => {
  try {
    if (await isRemovedEmpty(path)) return
    if (!user.isOther && (await removeOwn(path))) return
    await launcher.run(removal(path)).ended
    await rmdir(path).catch(unlessGone)
  } catch (error) {
    logger.warn({ err: error, path }, 'a working directory could not be removed')
  }
}

/** What is left is mostly empty: that takes no look into it, and no program. */
const isRemovedEmpty = (path: string): Promise<boolean> =>
  rmdir(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  )

const removeOwn = (path: string): Promise<boolean> =>
  rm(path, { recursive: true, force: true }).then(
    () => true,
    // A directory without its own write permission: the shell makes it writable first.
    () => false,
  )

const unlessGone = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error
}

/** `chmod` would follow a link that a job has put in the place of the directory. */
const REMOVE = '[ -L "$1" ] || chmod -R u+rwX -- "$1" 2>/dev/null; rm -rf -- "$1" 2>/dev/null'

const removal = (path: string) => ({
  cookie: '',
  argv: ['/bin/sh', '-c', REMOVE, 'sh', path] as const,
  environment: { PATH: '/usr/bin:/bin' },
  workingDir: '/',
  stdin: null,
  stdout: '/dev/null',
  stderr: '/dev/null',
  deadline: null,
  sandboxed: false,
})
