import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Where cgroups can be made: a mounted hierarchy and this process's place in it. */
export type Hierarchy = {
  readonly kind: 'cgroup' | 'pids-cgroup'
  /** Takes `0` and moves the writer: with v1 one thread, with v2 the process. */
  readonly moveFile: 'tasks' | 'cgroup.procs'
  /** Where this process lives and returns to. */
  readonly home: string
  /** Below which the cgroups of commands are made. */
  readonly parent: string
}

/** null where there is none. */
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
 * With v2 a cgroup that holds processes cannot hand controllers to its children. systemd's way out is to run the service
 * in a leaf of what it delegates (`Delegate=yes`, `DelegateSubgroup=supervisor`): then commands get leaves beside it.
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
