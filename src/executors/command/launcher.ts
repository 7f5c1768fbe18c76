import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../kernel/logger.ts'
import type { EndReport, LauncherSettings, Order, Report, StartOrder } from './launch-protocol.ts'
import { type LauncherProcess, type ReadyReport, startLauncherProcess } from './launcher-process.ts'

/** Starts commands through a launcher process, which is replaced if it dies. */
export interface Launcher {
  /** Kills leftover processes of an earlier run of this installation. Rejects if no launcher can be started. */
  start(): Promise<void>
  /** Kills all running commands. Idempotent. */
  stop(): Promise<void>
  /** Never rejects: failures are reported as a `CommandEnd`. */
  run(command: Command): StartedCommand
  renew(tickets: readonly number[], deadline: number): void
  /** How the launcher works on this system. null while there is none. */
  readonly ready: ReadyReport | null
  readonly pid: number | null
  /** Why there is no launcher, or null. */
  readonly problem: string | null
}

export type Command = Omit<StartOrder, 'do' | 'ticket'> & {
  /** Called when the command's streams are open. */
  readonly onStarted?: () => void
}

export interface StartedCommand {
  readonly ticket: number
  terminate(): void
  kill(): void
  /** Resolves when no process of the command is left. */
  readonly ended: Promise<CommandEnd>
}

export type CommandEnd =
  | EndReport
  | Extract<Report, { is: 'refused' }>
  /** The launcher died, and its successor has killed what it left. */
  | { readonly is: 'lost' }

type Running = {
  readonly command: Command
  readonly end: (end: CommandEnd) => void
}

const FIRST_TRIES = 4
const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 30_000

export const createLauncher = ({ settings, logger }: { settings: LauncherSettings; logger: Logger }): Launcher => {
  let running = new Map<number, Running>()
  let current: { process: LauncherProcess; ready: ReadyReport } | null = null
  let launching: Promise<unknown> = Promise.resolve()
  let problem: string | null = null
  let stopping = false
  let retry: NodeJS.Timeout | undefined
  let lastTicket = 0

  const onReport = (report: Exclude<Report, { is: 'ready' }>): void => {
    const entry = running.get(report.ticket)
    if (entry === undefined) return
    if (report.is === 'started') {
      entry.command.onStarted?.()
      return
    }
    running.delete(report.ticket)
    entry.end(report)
  }

  const launch = async (): Promise<void> => {
    const starting = startLauncherProcess({ settings, logger, onReport, onEnd })
    launching = starting
    current = await starting
    problem = null
    for (const [ticket, { command }] of running) current.process.send(toOrder(ticket, command))
    const { spawner, containment, strays } = current.ready
    logger.info({ pid: current.process.pid, spawner, containment, strays }, 'the launcher is ready')
  }

  /** A launcher killed during start-up must not leave the server without commands for the rest of its life. */
  const firstLaunch = async (): Promise<void> => {
    for (let left = FIRST_TRIES - 1; ; left--) {
      try {
        return await launch()
      } catch (error) {
        if (left === 0 || stopping) throw error
        logger.warn({ err: error }, 'the launcher ended while it started; another one is started')
        await delay(FIRST_RETRY_MS)
      }
    }
  }

  const onEnd = (): void => {
    current = null
    if (stopping) {
      endAll(takeRunning())
      return
    }
    logger.error('the launcher has died: its commands are lost, another one starts')
    void replace(takeRunning(), 100)
  }

  /** Lost commands have ended only once the successor has killed what the dead launcher left. */
  const replace = async (lost: ReadonlyMap<number, Running>, delayMs: number): Promise<void> => {
    try {
      await launch()
    } catch (error) {
      problem = (error as Error).message
      logger.error({ err: error }, 'the launcher cannot be started')
      endAll(takeRunning())
      if (!stopping) retry = setTimeout(() => replace(new Map(), Math.min(delayMs * 2, LONGEST_RETRY_MS)), delayMs)
    }
    endAll(lost)
  }

  const takeRunning = (): ReadonlyMap<number, Running> => {
    const taken = running
    running = new Map()
    return taken
  }

  const send = (ticket: number, what: 'terminate' | 'kill'): void => {
    const entry = running.get(ticket)
    if (entry === undefined) return
    if (current !== null) {
      current.process.send({ do: what, ticket })
      return
    }
    // It is waiting for a launcher and has not been started.
    running.delete(ticket)
    entry.end({ is: 'lost' })
  }

  return {
    start: firstLaunch,
    async stop() {
      stopping = true
      clearTimeout(retry)
      // One that is starting can only be stopped once it is ready. If it does not get there, it has ended.
      await launching.catch(() => {})
      await current?.process.stop()
    },
    run(command) {
      const ticket = ++lastTicket
      const { promise, resolve } = Promise.withResolvers<CommandEnd>()
      if (stopping || problem !== null) resolve({ is: 'lost' })
      else running.set(ticket, { command, end: resolve })
      // While a dead launcher is being replaced, commands wait for the next one.
      current?.process.send(toOrder(ticket, command))
      return { ticket, ended: promise, terminate: () => send(ticket, 'terminate'), kill: () => send(ticket, 'kill') }
    },
    renew(tickets, deadline) {
      if (tickets.length > 0) current?.process.send({ do: 'renew', tickets, deadline })
    },
    get ready() {
      return current?.ready ?? null
    },
    get pid() {
      return current?.process.pid ?? null
    },
    get problem() {
      return problem
    },
  }
}

const toOrder = (ticket: number, { onStarted: _, ...command }: Command): Order => ({ do: 'start', ticket, ...command })

const endAll = (lost: ReadonlyMap<number, Running>): void => {
  for (const { end } of lost.values()) end({ is: 'lost' })
}
