import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from '../../kernel/logger.ts'
import { BASE_PATH } from '../launched-process.ts'
import { removeTree } from '../remove-tree.ts'
import { emptyScratchRoot, ensureScratchRoot } from '../scratch-root.ts'
import type { HostLauncher, HostUser } from './host-launcher.ts'

/** The named pipes of one host at a time. Reused once nothing of the host is left. */
export type HostSlot = {
  readonly orders: string
  readonly reports: string
  readonly stdout: string
  readonly stderr: string
}

/** Holds the pipes and directories of hosts. With a job user it lies outside the data directory, which that user cannot enter. */
export interface HostSlots {
  take(): Promise<HostSlot>
  giveBack(slot: HostSlot): void
  /** Makes an empty directory for one host. */
  makeDirectory(): string
  removeDirectory(path: string): Promise<void>
  readonly path: string
  /** Removes everything. Call when no host is running. */
  close(): Promise<void>
}

type Options = {
  readonly dataDir: string
  readonly instanceId: string
  readonly user: HostUser
  readonly launcher: HostLauncher
  readonly logger: Logger
}

/** Opens it and empties it: hosts of an earlier run are dead. Throws if something that is not ours is in its place. */
export const openHostSlots = async (options: Options): Promise<HostSlots> => {
  const { user } = options
  const root = user.isOther ? `/var/tmp/millrace-functions-${options.instanceId}` : join(options.dataDir, 'functions')
  const free: HostSlot[] = []
  const own = (path: string): string => {
    if (user.isOther) chownSync(path, user.uid, user.gid)
    return path
  }
  const remove = (path: string): Promise<void> => removeTree(path, options)
  ensureScratchRoot(root, user)
  await emptyScratchRoot(root, remove)
  /** Cleaners of /var/tmp remove pipes that have not been used for long. */
  const takeFree = (): HostSlot | undefined => {
    for (let slot = free.pop(); slot !== undefined; slot = free.pop())
      if (Object.values(slot).every(path => existsSync(path))) return slot
    return undefined
  }

  return {
    path: root,
    take: async () => {
      ensureScratchRoot(root, user)
      return takeFree() ?? makeSlot(join(root, randomUUID()), own)
    },
    giveBack: slot => {
      free.push(slot)
    },
    makeDirectory: () => {
      const path = join(root, randomUUID())
      mkdirSync(path, { mode: 0o700 })
      return own(path)
    },
    removeDirectory: remove,
    close: async () => {
      for (const slot of free) await Promise.all(Object.values(slot).map(path => rm(path, { force: true })))
      await rmdir(root).catch(() => {})
    },
  }
}

/** The names are unguessable: a process that could open a pipe could impersonate a host. */
const makeSlot = async (base: string, own: (path: string) => string): Promise<HostSlot> => {
  const slot = { orders: `${base}.in`, reports: `${base}.say`, stdout: `${base}.out`, stderr: `${base}.err` }
  const paths = Object.values(slot)
  await promisify(execFile)('mkfifo', ['-m', '600', ...paths], { env: { PATH: BASE_PATH } })
  for (const path of paths) own(path)
  return slot
}

/** Opens both ends, so that neither side blocks on the other's open and the pipe does not end with its first writer. */
const openPipe = (path: string): number => openSync(path, constants.O_RDWR | constants.O_NONBLOCK)

/** Opens all pipes of a slot, or none. */
export const openPipes = (slot: HostSlot): Record<keyof HostSlot, number> => {
  const opened: number[] = []
  try {
    for (const path of [slot.orders, slot.reports, slot.stdout, slot.stderr]) opened.push(openPipe(path))
    return { orders: opened[0]!, reports: opened[1]!, stdout: opened[2]!, stderr: opened[3]! }
  } catch (error) {
    for (const descriptor of opened) closeSync(descriptor)
    throw error
  }
}
