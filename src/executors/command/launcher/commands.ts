import { systemTime } from '../../launched-process.ts'
import type { EndReport, Order, Report, StartOrder } from '../launch-protocol.ts'
import { type Cell, type Containment, sendSignal } from './containment.ts'
import { endCell } from './end-cell.ts'
import type { ProcessExit, Spawner } from './spawner.ts'
import { startCommand } from './start-command.ts'
import { createStreamOpener } from './streams.ts'

/** A command from its start until none of its processes is left. */
type Command = {
  readonly ticket: number
  readonly cell: Cell
  readonly sandboxed: boolean
  pid: number
  deadline: number
  exit: ProcessExit | null
  /** Why it was ended, unless its main process ended by itself first. The first cause wins. */
  cause: EndReport['cause']
  /** An order received before the main process was started. */
  early: 'terminate' | 'kill' | null
  /** True while its processes are being killed. */
  ending: boolean
  reported: boolean
}

type Options = {
  readonly spawner: Spawner
  readonly containment: Containment
  readonly report: (report: Report) => void
  /** Called when a main process has been started, for the record that survives this process. */
  readonly onStarted: (pid: number) => void
}

/** The running commands. */
export interface Commands {
  readonly size: number
  obey(order: Order): void
  /** Call when a child of this process has ended, whether a main process or an orphan. */
  childEnded(pid: number, exit: ProcessExit): void
  /** Kills commands whose lease has expired. */
  watch(): void
  /** Kills all commands at once. Resolves when none is left. */
  killAll(): Promise<void>
}

export const createCommands = ({ spawner, containment, report, onStarted }: Options): Commands => {
  const byTicket = new Map<number, Command>()
  const byPid = new Map<number, Command>()
  const streams = createStreamOpener()
  let emptied: (() => void)[] = []

  const start = async (order: StartOrder): Promise<void> => {
    const { ticket } = order
    // The lease may already have expired, for example after the machine was frozen. A short command would finish before the next deadline check.
    if (order.deadline !== null && order.deadline <= systemTime()) {
      report({ is: 'ended', ticket, exitCode: null, signal: null, cause: 'lease', left: 0 })
      return
    }
    const cell = openCell(order)
    if (cell === null) return
    const command = newCommand(order, cell)
    byTicket.set(order.ticket, command)
    const result = await startCommand(order, { spawner, cell, streams })
    if (!('pid' in result)) {
      forget(command, { empty: true })
      report({ is: 'refused', ticket: order.ticket, ...result })
      return
    }
    command.pid = result.pid
    cell.started(result.pid)
    byPid.set(result.pid, command)
    onStarted(result.pid)
    report({ is: 'started', ticket: order.ticket, pid: result.pid })
    if (command.early === 'terminate') terminate(command)
    if (command.early === 'kill') void end(command)
  }

  /** Returns null after reporting that too many files are open or memory is short: running commands must not suffer from that. */
  const openCell = (order: StartOrder): Cell | null => {
    try {
      return containment.openCell(order)
    } catch (error) {
      const { code = 'EIO' } = error as NodeJS.ErrnoException
      report({ is: 'refused', ticket: order.ticket, error: code, what: 'program' })
      return null
    }
  }

  const terminate = (command: Command): void => {
    if (command.exit !== null) return
    command.cause ??= 'order'
    if (command.pid === 0) command.early ??= 'terminate'
    // The second pass finds processes forked during the first.
    const told = new Set<number>(command.sandboxed ? [command.pid] : [])
    for (let look = 0; look < 2; look++) {
      for (const pid of membersOf(command)) {
        if (told.has(pid)) continue
        told.add(pid)
        sendSignal(pid, 'SIGTERM')
      }
    }
  }

  const kill = (command: Command, cause: EndReport['cause']): void => {
    if (command.exit === null) command.cause ??= cause
    if (command.pid === 0) command.early = 'kill'
    else void end(command)
  }

  /** Kills what is left of a command and reports its end once nothing is. */
  const end = async (command: Command): Promise<void> => {
    if (command.ending) return
    command.ending = true
    const left = command.exit !== null && command.cell.isEmpty() ? 0 : await endCell(command.cell)
    command.ending = false
    // A killed main process has yet to be reaped; `childEnded` then calls this again.
    if (command.exit === null && left === 0) return
    finish(command, left)
  }

  const finish = (command: Command, left: number): void => {
    if (command.reported) return
    command.reported = true
    forget(command, { empty: left === 0 })
    const { exitCode, signal } = command.exit ?? { exitCode: null, signal: null }
    report({ is: 'ended', ticket: command.ticket, exitCode, signal, cause: command.cause, left })
  }

  const forget = (command: Command, { empty }: { empty: boolean }): void => {
    command.cell.close({ empty })
    byTicket.delete(command.ticket)
    byPid.delete(command.pid)
    if (byTicket.size > 0) return
    for (const resolve of emptied) resolve()
    emptied = []
  }

  return {
    get size() {
      return byTicket.size
    },
    obey(order) {
      if (order.do === 'start') return void start(order)
      if (order.do === 'renew') {
        for (const ticket of order.tickets) {
          const command = byTicket.get(ticket)
          if (command !== undefined) command.deadline = Math.max(command.deadline, order.deadline)
        }
        return
      }
      const command = byTicket.get(order.ticket)
      if (command === undefined) return
      if (order.do === 'terminate') terminate(command)
      else kill(command, 'order')
    },
    childEnded(pid, exit) {
      const command = byPid.get(pid)
      if (command === undefined) return
      command.exit = exit
      command.cell.mainEnded()
      void end(command)
    },
    watch() {
      const now = systemTime()
      for (const command of byTicket.values()) if (command.deadline <= now) kill(command, 'lease')
    },
    killAll() {
      for (const command of byTicket.values()) kill(command, 'order')
      return byTicket.size === 0 ? Promise.resolve() : new Promise(resolve => emptied.push(resolve))
    },
  }
}

/** If members cannot be listed now, signal only the main process: anything left is killed after the grace period. */
const membersOf = ({ cell, pid }: Command): readonly number[] => {
  try {
    return cell.members()
  } catch {
    return pid === 0 ? [] : [pid]
  }
}

const newCommand = ({ ticket, deadline, sandboxed }: StartOrder, cell: Cell): Command => ({
  ticket,
  cell,
  sandboxed,
  pid: 0,
  deadline: deadline ?? Number.POSITIVE_INFINITY,
  exit: null,
  cause: null,
  early: null,
  ending: false,
  reported: false,
})
