import type { Logger } from '../../kernel/logger.ts'
import type { StopSignal } from '../executor.ts'
import { leaseDeadline } from '../launched-process.ts'
import type { FunctionHost } from './function-host.ts'
import type { HostLauncher } from './host-launcher.ts'
import { residentMegabytes } from './resident-memory.ts'

/** The running hosts, started on demand and reused. */
export interface HostPool {
  /** Waits for a host for one item of the workspace. Resolves with the reason if there is none. */
  acquire(workspace: string, stop: StopSignal): Promise<PooledHost | 'stopped' | { readonly problem: string }>
  /** Returns a host for the next item. */
  release(host: PooledHost): void
  /** Ends a host for good. Resolves when nothing of it is left. */
  retire(host: PooledHost): Promise<void>
  /** Ends all hosts. */
  stop(): Promise<void>
}

export type PooledHost = {
  readonly host: FunctionHost
  /** A host never serves another workspace, because data of its items may still be in its memory. */
  readonly workspace: string
  state: 'busy' | 'idle' | 'ending'
  idleSince: number
  /** Killed for using too much memory. */
  isTooLarge: boolean
}

type Options = {
  readonly start: () => Promise<FunctionHost>
  readonly launcher: HostLauncher
  readonly logger: Logger
  readonly most: number
  /** Limit for the memory of one host in MiB, both heap and everything else. */
  readonly mostMegabytes: number
  /** Whether pids reported by hosts are valid in this pid namespace. */
  readonly seesProcesses: boolean
  /** Monotonic ms. */
  readonly now: () => number
}

type Waiter = {
  readonly workspace: string
  readonly give: (host: PooledHost | 'stopped' | { problem: string }) => void
}

/** A host idle for this long is ended. */
const IDLE_MS = 60_000
/** Functions may leak memory, so a host is replaced after this many items. */
const MOST_RUNS = 10_000
const TEND_MS = 1000
const START_WITHIN_MS = 60_000

export const createHostPool = (options: Options): HostPool => {
  const { launcher, logger, now } = options
  const hosts = new Set<PooledHost>()
  const waiters: Waiter[] = []
  let starting = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  /** Prefers the host used most recently, so that the others may end. */
  const findIdle = (workspace: string): PooledHost | undefined =>
    [...hosts].findLast(host => host.state === 'idle' && host.workspace === workspace)

  /** Gives idle hosts to waiters in FIFO order and starts missing ones. */
  const serve = (): void => {
    for (let index = 0; index < waiters.length; ) {
      const host = findIdle(waiters[index]!.workspace)
      if (host === undefined) index++
      else hand(host, waiters.splice(index, 1)[0]!)
    }
    while (starting < waiters.length && hosts.size + starting < options.most)
      void startFor(waiters[starting]!.workspace)
    if (waiters.length > starting) makeRoom()
  }

  const hand = (host: PooledHost, waiter: Waiter): void => {
    // Move it to the end: the set is in order of last use.
    hosts.delete(host)
    hosts.add(host)
    host.state = 'busy'
    waiter.give(host)
  }

  /** Ends another workspace's idle host to make room for a waiting workspace. */
  const makeRoom = (): void => {
    const other = [...hosts].find(host => host.state === 'idle')
    if (other !== undefined) void retire(other)
  }

  /** True if the first waiter's workspace has no host at all: it must not wait until others are idle. */
  const mustMakeRoom = (): boolean => {
    const first = waiters[0]
    if (first === undefined || starting > 0 || hosts.size < options.most) return false
    return [...hosts].every(host => host.workspace !== first.workspace && host.state !== 'ending')
  }

  const startFor = async (workspace: string): Promise<void> => {
    starting++
    tend()
    try {
      const host = await startReady(options)
      const pooled: PooledHost = { host, workspace, state: 'idle', idleSince: now(), isTooLarge: false }
      hosts.add(pooled)
      void host.ended.then(() => {
        pooled.state = 'ending'
        hosts.delete(pooled)
        serve()
      })
    } catch (error) {
      logger.error({ err: error }, 'a function host cannot be started')
      waiters.shift()?.give({ problem: (error as Error).message })
    }
    starting--
    if (stopped) await endAll()
    serve()
  }

  const retire = async (pooled: PooledHost): Promise<void> => {
    pooled.state = 'ending'
    pooled.host.kill()
    await pooled.host.ended
  }

  const endAll = async (): Promise<void> => {
    await Promise.all([...hosts].map(retire))
  }

  /** Runs only while there are hosts: an idle server does nothing. */
  const tend = (): void => {
    timer ??= setInterval(() => {
      if (hosts.size + starting === 0) {
        clearInterval(timer)
        timer = undefined
        return
      }
      tendHosts([...hosts])
    }, TEND_MS)
  }

  const tendHosts = (all: readonly PooledHost[]): void => {
    const idle = all.filter(host => host.state === 'idle')
    // Busy hosts are renewed with the leases of their items.
    launcher.renew(
      idle.map(({ host }) => host.ticket),
      leaseDeadline(0),
    )
    for (const host of idle) if (now() - host.idleSince > IDLE_MS) void retire(host)
    if (!options.seesProcesses) return
    for (const pooled of all) {
      if (pooled.state !== 'busy' || residentMegabytes(pooled.host.pid) <= options.mostMegabytes) continue
      pooled.isTooLarge = true
      pooled.host.kill()
    }
  }

  return {
    acquire: (workspace, stop) => {
      if (stop.cause !== null) return Promise.resolve('stopped')
      const { promise, resolve } = Promise.withResolvers<PooledHost | 'stopped' | { problem: string }>()
      const unsubscribe = stop.onChange(() => {
        const index = waiters.indexOf(waiter)
        if (index >= 0) waiters.splice(index, 1)
        waiter.give('stopped')
      })
      const waiter: Waiter = {
        workspace,
        give: given => {
          unsubscribe()
          resolve(given)
        },
      }
      waiters.push(waiter)
      serve()
      return promise
    },
    release: pooled => {
      if (pooled.state !== 'busy') return
      if (pooled.host.runs >= MOST_RUNS || mustMakeRoom()) {
        void retire(pooled)
        return
      }
      pooled.state = 'idle'
      pooled.idleSince = now()
      if (waiters.length > 0) serve()
    },
    retire,
    stop: async () => {
      stopped = true
      clearInterval(timer)
      for (const { give } of waiters.splice(0)) give('stopped')
      await endAll()
    },
  }
}

const startReady = async ({ start, launcher }: Options): Promise<FunctionHost> => {
  const host = await start()
  const timer = setTimeout(host.kill, START_WITHIN_MS)
  const renewal = setInterval(() => launcher.renew([host.ticket], leaseDeadline(0)), TEND_MS)
  await host.ready
  clearTimeout(timer)
  clearInterval(renewal)
  if (host.pid > 0) return host
  const end = await host.ended
  throw new Error(`The function host could not be started (${describeEnd(end)}): ${host.lastWords().trim()}`)
}

const describeEnd = (end: Awaited<FunctionHost['ended']>): string => {
  if (end.is === 'ended') return `it ended with ${end.signal ?? end.exitCode}`
  return end.is === 'refused' ? end.error : 'its launcher has died'
}
