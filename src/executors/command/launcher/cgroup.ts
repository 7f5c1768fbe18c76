import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { findHierarchy, type Hierarchy } from './cgroup-hierarchy.ts'
import { type Cell, type Containment, sendSignal } from './containment.ts'

/**
 * Containment by cgroups. The forking thread moves into the command's cgroup, forks, and moves back. So the command is born inside, before any of its code
 * runs. (Moving the child afterwards would race with its own forks.) Cgroups are reused: making one per command would cost more than the command.
 */

type Options = { readonly instanceId: string; readonly maxProcesses: number }

/** null if the cgroup file system is not writable. */
export const openCgroups = (kind: Hierarchy['kind'], options: Options): Containment | null => {
  const hierarchy = findHierarchy(kind)
  if (hierarchy === null) return null
  try {
    return createContainment(hierarchy, options)
  } catch {
    return null
  }
}

/** All cgroups made by launchers of this installation, in all hierarchies. */
export const formerCgroups = (instanceId: string): readonly { path: string; cells: readonly string[] }[] =>
  (['cgroup', 'pids-cgroup'] as const).flatMap(kind => {
    const hierarchy = findHierarchy(kind)
    if (hierarchy === null) return []
    const path = join(hierarchy.parent, directoryName(instanceId))
    try {
      const cells = readdirSync(path, { withFileTypes: true }).filter(entry => entry.isDirectory())
      return [{ path, cells: cells.map(entry => join(path, entry.name)) }]
    } catch {
      return []
    }
  })

/** The processes in a cgroup. */
export const readMembers = (path: string): readonly number[] =>
  readFileSync(join(path, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number)

const directoryName = (instanceId: string): string => `millrace-${instanceId}`

/** Kills all processes in a cgroup. */
export const strikeCgroup = (path: string): void => {
  if (tryWrite(join(path, 'cgroup.kill'), '1')) return
  // With no room for a new process, the members can be killed one by one: none can escape by forking.
  tryWrite(join(path, 'pids.max'), '0')
  for (const pid of readMembers(path)) sendSignal(pid, 'SIGKILL')
}

const createContainment = (hierarchy: Hierarchy, { instanceId, maxProcesses }: Options): Containment => {
  const root = join(hierarchy.parent, directoryName(instanceId))
  mkdirSync(root, { recursive: true })
  if (hierarchy.kind === 'cgroup') handDownLimit(hierarchy, root)
  const home = openSync(join(hierarchy.home, hierarchy.moveFile), 'w')
  const free: Slot[] = []
  let made = 0
  const makeSlot = (): Slot => openSlot({ path: join(root, String(made++)), hierarchy, maxProcesses })
  // If the system does not permit this, fail here and not at the first command.
  const first = makeSlot()
  writeSync(first.move, '0')
  writeSync(home, '0')
  free.push(first)

  return {
    kind: hierarchy.kind,
    limited: first.limited,
    openCell() {
      const slot = takeEmpty(free) ?? makeSlot()
      return createCell({ slot, home, free: () => free.push(slot) })
    },
  }
}

/** Dead processes not yet reaped still count towards the limit, so a cgroup is reused only once its count is zero. */
const takeEmpty = (free: Slot[]): Slot | undefined => {
  const index = free.findLastIndex(isEmpty)
  return index < 0 ? undefined : free.splice(index, 1)[0]
}

const isEmpty = ({ gauge, emptyGauge }: Slot): boolean => readFromStart(gauge) === emptyGauge

/** Delegates the pids controller, but only from cgroups without processes: elsewhere it would change the cgroup's type. */
const handDownLimit = ({ parent, home }: Hierarchy, root: string): void => {
  if (parent !== home) tryWrite(join(parent, 'cgroup.subtree_control'), '+pids')
  tryWrite(join(root, 'cgroup.subtree_control'), '+pids')
}

type Slot = {
  readonly path: string
  /** Open file. Writing `0` moves the writer in. */
  readonly move: number
  /** Open file. Reading it from the start shows whether there are members. */
  readonly gauge: number
  /** The contents of `gauge` if there are none. */
  readonly emptyGauge: string
  readonly limited: boolean
  readonly resetLimit: () => void
}

/** Prefer the counter: in v1, an open process list may be up to a second out of date. */
const GAUGES = {
  counter: { file: 'pids.current', empty: '0\n' },
  list: { file: 'cgroup.procs', empty: '' },
} as const

type SlotInput = { readonly path: string; readonly hierarchy: Hierarchy; readonly maxProcesses: number }

const openSlot = ({ path, hierarchy, maxProcesses }: SlotInput): Slot => {
  mkdirSync(path, { recursive: true })
  const resetLimit = (): boolean => tryWrite(join(path, 'pids.max'), String(limitOf(hierarchy, maxProcesses)))
  const limited = resetLimit()
  const gauge = limited ? GAUGES.counter : GAUGES.list
  return {
    path,
    ...openFiles(join(path, hierarchy.moveFile), join(path, gauge.file)),
    emptyGauge: gauge.empty,
    limited,
    resetLimit,
  }
}

const openFiles = (move: string, gauge: string): Pick<Slot, 'move' | 'gauge'> => {
  const moveFile = openSync(move, 'w')
  try {
    return { move: moveFile, gauge: openSync(gauge, 'r') }
  } catch (error) {
    closeSync(moveFile)
    throw error
  }
}

/** The launcher's own threads count while inside: one with v1, all with v2. */
const limitOf = (hierarchy: Hierarchy, maxProcesses: number): number => {
  const visitors = hierarchy.kind === 'cgroup' ? readdirSync('/proc/self/task').length : 1
  return Math.max(maxProcesses, visitors + 1)
}

const createCell = ({ slot, home, free }: { slot: Slot; home: number; free: () => void }): Cell => {
  let struck = false
  return {
    enter: () => {
      writeSync(slot.move, '0')
    },
    leave: () => {
      writeSync(home, '0')
    },
    started: () => {},
    mainEnded: () => {},
    members: () => readMembers(slot.path),
    isEmpty: () => isEmpty(slot),
    strike: () => {
      struck = true
      strikeCgroup(slot.path)
    },
    close: ({ empty }) => {
      // A cgroup with an unkillable process is abandoned for good.
      if (!empty) return closeSlot(slot)
      if (struck) slot.resetLimit()
      free()
    },
  }
}

const closeSlot = (slot: Slot): void => {
  closeSync(slot.move)
  closeSync(slot.gauge)
}

const buffer = Buffer.alloc(64)

/** The first bytes are enough. */
const readFromStart = (descriptor: number): string =>
  buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0))

const tryWrite = (path: string, text: string): boolean => {
  try {
    // Without O_CREAT: we must not create a missing control file.
    writeFileSync(path, text, { flag: 'r+' })
    return true
  } catch {
    return false
  }
}

/** Removes the empty cgroups of this installation. */
export const removeCgroups = (instanceId: string): void => {
  for (const { path, cells } of formerCgroups(instanceId)) for (const cgroup of [...cells, path]) removeEmpty(cgroup)
}

const removeEmpty = (path: string): void => {
  try {
    rmdirSync(path)
  } catch {
    // Busy or gone.
  }
}
