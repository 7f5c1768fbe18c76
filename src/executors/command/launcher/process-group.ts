import { type Cell, type Containment, sendSignal } from './containment.ts'

/**
 * Containment for systems without /proc (macOS): the process group of the main process. A process that leaves the group
 * (`setsid`, a shell with job control) is not found and may outlive its command.
 */
export const createProcessGroups = (): Containment => ({
  kind: 'group',
  limited: false,
  openCell: createCell,
})

const createCell = (): Cell => {
  let group = 0
  /** A negative id stands for the group in `kill(2)`, and so in `sendSignal`. */
  const members = (): readonly number[] => (group !== 0 && hasMembers(group) ? [-group] : [])
  return {
    enter: () => {},
    leave: () => {},
    started: pid => {
      group = pid
    },
    mainEnded: () => {},
    members,
    isEmpty: () => members().length === 0,
    strike: () => {
      for (const id of members()) sendSignal(id, 'SIGKILL')
    },
    close: () => {},
  }
}

/** An error means that only dead processes are left that have not been reaped yet. */
const hasMembers = (group: number): boolean => {
  try {
    process.kill(-group, 0)
    return true
  } catch {
    return false
  }
}
