import { rm, rmdir } from 'node:fs/promises'
import type { Logger } from '../kernel/logger.ts'
import { BASE_PATH } from './launched-process.ts'

type Tools = {
  /** Runs a program as the job user. */
  readonly launcher: { run(program: ReturnType<typeof removal>): { readonly ended: Promise<unknown> } }
  readonly user: { readonly isOther: boolean }
  readonly logger: Logger
}

/**
 * Removes a directory with everything a job left in it. If jobs run as another user, the tree is removed with that user's rights: otherwise that user's
 * processes could place a symlink in the path of a server that deletes as root. What cannot be removed does not fail the job; it is removed when the
 * server next starts.
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

/** The directory is mostly empty, in which case there is no need to scan it or start a program. */
const isRemovedEmpty = (path: string): Promise<boolean> =>
  rmdir(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  )

const removeOwn = (path: string): Promise<boolean> =>
  rm(path, { recursive: true, force: true }).then(
    () => true,
    // Fails for a directory without write permission for its owner: the shell makes it writable first.
    () => false,
  )

const unlessGone = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error
}

/** `chmod` would follow a symlink that a job put in place of the directory. */
const REMOVE = '[ -L "$1" ] || chmod -R u+rwX -- "$1" 2>/dev/null; rm -rf -- "$1" 2>/dev/null'

const removal = (path: string) => ({
  cookie: '',
  argv: ['/bin/sh', '-c', REMOVE, 'sh', path] as const,
  environment: { PATH: BASE_PATH },
  workingDir: '/',
  stdin: null,
  stdout: '/dev/null',
  stderr: '/dev/null',
  deadline: null,
  sandboxed: false,
})
