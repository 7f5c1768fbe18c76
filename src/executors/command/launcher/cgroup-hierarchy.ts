import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** A mounted cgroup hierarchy and this process's place in it. */
export type Hierarchy = {
  readonly kind: 'cgroup' | 'pids-cgroup'
  /** Writing `0` moves the writer: its thread with v1, its process with v2. */
  readonly moveFile: 'tasks' | 'cgroup.procs'
  /** The cgroup this process lives in and returns to. */
  readonly home: string
  /** The cgroup under which those of commands are made. */
  readonly parent: string
}

/** null if there is none. */
export const findHierarchy = (kind: Hierarchy['kind']): Hierarchy | null => {
  const mount = findMount(kind)
  const own = findOwnPath(kind)
  if (mount === null || own === null) return null
  const home = join(mount, own)
  return kind === 'cgroup'
    ? { kind, moveFile: 'cgroup.procs', home, parent: parentOf(home) }
    : { kind, moveFile: 'tasks', home, parent: home }
}

/**
 * In v2, a cgroup with processes cannot delegate controllers to its children. systemd's solution is to run the service in a leaf of the delegated subtree
 * (`Delegate=yes`, `DelegateSubgroup=supervisor`). Commands then get leaves next to it.
 */
const parentOf = (home: string): string => (basename(home) === 'supervisor' ? dirname(home) : home)

const findMount = (kind: Hierarchy['kind']): string | null => {
  for (const line of readLines('/proc/self/mounts')) {
    const [, path, type, options] = line.split(' ')
    if (kind === 'cgroup' && type === 'cgroup2') return path!
    if (kind === 'pids-cgroup' && type === 'cgroup' && options!.split(',').includes('pids')) return path!
  }
  return null
}

const findOwnPath = (kind: Hierarchy['kind']): string | null => {
  for (const line of readLines('/proc/self/cgroup')) {
    const [, controllers, path] = line.split(':')
    if (kind === 'cgroup' && controllers === '') return path!
    if (kind === 'pids-cgroup' && controllers!.split(',').includes('pids')) return path!
  }
  return null
}

const readLines = (path: string): readonly string[] => {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}
