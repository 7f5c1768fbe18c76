import { type Census, createCensus, type Table } from './census.ts'
import { type Cell, type Containment, sendSignal } from './containment.ts'
import { type ProcessEntry, readChildren, readProcess } from './process-table.ts'

/**
 * Containment without support from the system. A process belongs to a command if it is in the command's session, descends from a member, is in the session of
 * a member, carries the command's cookie in its environment, or was seen as a member before. A process that has lost all of these (`env -i setsid` whose
 * parent exited at once) is an orphan. If the spawner adopts, orphans become children of the launcher. An orphan belongs to the only command that could
 * have started it. While several could have, it belongs to none, until all but one of them have ended.
 *
 * Limits: such an orphan may outlive its command for as long as another command runs. Without adoption (the portable spawner) it is never found. On systems
 * without /proc (macOS) only the session's process group is found.
 */
export interface Tracking extends Containment {
  /** Scans all processes now, so that descent is known before parents exit. Returns the current members of all commands. */
  observe(): readonly ProcessEntry[]
  /** Kills adopted orphans if no command is running that could have started them. Returns how many there were. */
  endOrphans(): number
}

type TrackedCell = {
  readonly cookie: string
  mainPid: number | null
  mainAlive: boolean
  /** Start of the main process. Older processes are not members. */
  bornAt: number
  readonly sessions: Set<number>
  /** Known members: pid to start. The same pid with another start is another process. */
  readonly known: Map<number, number>
}

/** An orphan of unknown origin, and the commands that were running when it was first seen. */
type Orphan = { readonly startedAt: number; readonly suspects: Set<TrackedCell> }

export const createTracking = ({ adopts }: { adopts: boolean }): Tracking => {
  const cells = new Set<TrackedCell>()
  const orphans = new Map<number, Orphan>()
  const census = createCensus()

  const observe = (): readonly ProcessEntry[] => {
    const table = census.take(oldestOf(cells))
    for (const cell of cells) claim(cell, table, census)
    if (adopts) suspectOrphans({ table, cells, orphans })
    return [...cells].flatMap(cell => [...cell.known.keys()].map(pid => table.get(pid)!))
  }

  return {
    kind: 'tracking',
    limited: false,
    observe,
    endOrphans: () => {
      if (!adopts || cells.size > 0) return 0
      const orphans = readChildren(process.pid) ?? []
      for (const pid of orphans) sendSignal(pid, 'SIGKILL')
      return orphans.length
    },
    openCell({ cookie }) {
      const cell: TrackedCell = {
        cookie,
        mainPid: null,
        mainAlive: true,
        bornAt: 0,
        sessions: new Set(),
        known: new Map(),
      }
      return createCell({ cell, cells, adopts, observe })
    },
  }
}

type CellInput = {
  readonly cell: TrackedCell
  readonly cells: Set<TrackedCell>
  readonly adopts: boolean
  readonly observe: () => unknown
}

const createCell = ({ cell, cells, adopts, observe }: CellInput): Cell => {
  const members = (): readonly number[] => {
    observe()
    return [...cell.known.keys()]
  }
  return {
    enter: () => {},
    leave: () => {},
    started: pid => {
      cell.mainPid = pid
      cell.sessions.add(pid)
      cell.bornAt = readProcess(pid)?.startedAt ?? 0
      cell.known.set(pid, cell.bornAt)
      cells.add(cell)
    },
    mainEnded: () => {
      cell.mainAlive = false
      cell.known.delete(cell.mainPid!)
    },
    members,
    isEmpty: () => (adopts && hasNoOrphan(cells)) || members().length === 0,
    strike: () => freezeThenKill(members),
    close: () => {
      cells.delete(cell)
    },
  }
}

/** Cheap check: a process that outlives its parent becomes a child of this process, as are the main processes. */
const hasNoOrphan = (cells: ReadonlySet<TrackedCell>): boolean => {
  const children = readChildren(process.pid)
  if (children === null) return false
  const mains = new Set([...cells].map(cell => (cell.mainAlive ? cell.mainPid : null)))
  return children.every(pid => mains.has(pid))
}

/** A stopped process cannot fork: stop all members until a scan finds no new one, then kill them all. */
const freezeThenKill = (members: () => readonly number[]): void => {
  const frozen = new Set<number>()
  for (let grown = true; grown; ) {
    grown = false
    for (const pid of members()) {
      if (frozen.has(pid)) continue
      frozen.add(pid)
      grown = true
      sendSignal(pid, 'SIGSTOP')
    }
  }
  for (const pid of frozen) sendSignal(pid, 'SIGKILL')
}

const oldestOf = (cells: ReadonlySet<TrackedCell>): number => Math.min(...[...cells].map(cell => cell.bornAt))

/** Updates the members of a cell. */
const claim = (cell: TrackedCell, table: Table, census: Census): void => {
  for (const [pid, startedAt] of cell.known) if (table.get(pid)?.startedAt !== startedAt) cell.known.delete(pid)
  forgetEndedSessions(cell, table)
  for (let grown = true; grown; ) {
    grown = false
    for (const entry of table.values()) {
      if (cell.known.has(entry.pid) || !isMember(cell, entry, census)) continue
      cell.known.set(entry.pid, entry.startedAt)
      if (entry.session === entry.pid) cell.sessions.add(entry.pid)
      grown = true
    }
  }
}

/** The id of an ended session may be reused by an unrelated one. */
const forgetEndedSessions = (cell: TrackedCell, table: Table): void => {
  const alive = new Set([...table.values()].map(entry => entry.session))
  for (const session of cell.sessions) if (!alive.has(session)) cell.sessions.delete(session)
}

const isMember = (cell: TrackedCell, entry: ProcessEntry, census: Census): boolean => {
  const { pid, parent, session, startedAt } = entry
  if (startedAt < cell.bornAt || (pid === cell.mainPid && !cell.mainAlive)) return false
  if (cell.sessions.has(session) || cell.known.has(parent)) return true
  return census.cookieOf(entry) === cell.cookie
}

type OrphanInput = {
  readonly table: Table
  readonly cells: ReadonlySet<TrackedCell>
  readonly orphans: Map<number, Orphan>
}

const suspectOrphans = ({ table, cells, orphans }: OrphanInput): void => {
  for (const [pid, orphan] of orphans) if (table.get(pid)?.startedAt !== orphan.startedAt) orphans.delete(pid)
  const claimed = new Set([...cells].flatMap(cell => [...cell.known.keys()]))
  for (const entry of table.values()) {
    if (entry.parent !== process.pid || claimed.has(entry.pid)) continue
    const orphan = orphans.get(entry.pid) ?? { startedAt: entry.startedAt, suspects: possibleMakers(entry, cells) }
    for (const suspect of orphan.suspects) if (!cells.has(suspect)) orphan.suspects.delete(suspect)
    orphans.set(entry.pid, orphan)
    const [only] = orphan.suspects
    if (orphan.suspects.size === 1) only!.known.set(entry.pid, entry.startedAt)
    if (orphan.suspects.size === 0) sendSignal(entry.pid, 'SIGKILL')
  }
}

const possibleMakers = (orphan: ProcessEntry, cells: ReadonlySet<TrackedCell>): Set<TrackedCell> =>
  new Set([...cells].filter(cell => cell.bornAt <= orphan.startedAt))
