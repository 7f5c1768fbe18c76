import type { Logger } from '../../kernel/logger.ts'
import type { StopSignal } from '../executor.ts'
import type { FunctionHost } from './function-host.ts'
import type { HostLauncher } from './host-launcher.ts'
import { hostDeadline } from './host-launcher.ts'
import { residentMegabytes } from './resident-memory.ts'

/** The hosts there are, started on demand and used again and again. */
export interface HostPool {
  /** A host for one item of the workspace, or why there is none. Waits its turn. */
  acquire(workspace: string, stop: StopSignal): Promise<PooledHost | 'stopped' | { readonly problem: string }>
  /** Gives a host back for the next item. */
  release(host: PooledHost): void
  /** The host is not used any more. Resolves when nothing of it is left. */
  retire(host: PooledHost): Promise<void>
  /** Ends all. */
  stop(): Promise<void>
}

export type PooledHost = {
  readonly host: FunctionHost
  /** Never given to another: what its items knew may still be in its memory. */
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
  /** Memory of one host, heap and all else, MiB. */
  readonly mostMegabytes: number
  /** Whether process ids of hosts are those of this system. */
  readonly seesProcesses: boolean
  /** Monotonic ms. */
  readonly now: () => number
}

type Waiter = {
  readonly workspace: string
  readonly give: (host: PooledHost | 'stopped' | { problem: string }) => void
}

/** A host that nobody has needed for so long ends. */
const IDLE_MS = 60_000
/** Leaks of functions end with their host. */
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

  /** The one used last comes first, so that the others may end. */
  const findIdle = (workspace: string): PooledHost | undefined =>
    [...hosts].findLast(host => host.state === 'idle' && host.workspace === workspace)

  /** Gives hosts to those who wait, in their order, and starts what is missing. */
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
    // Those used last lie at the end.
    hosts.delete(host)
    hosts.add(host)
    host.state = 'busy'
    waiter.give(host)
  }

  /** A workspace that waits may have the place of another's idle host. */
  const makeRoom = (): void => {
    const other = [...hosts].find(host => host.state === 'idle')
    if (other !== undefined) void retire(other)
  }

  /** A workspace that has waited longest and has no host at all must not wait until others have nothing to do. */
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

  /** Only while there are hosts: an idle server does nothing. */
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
    // Those that work are renewed with the leases of their items.
    launcher.renew(
      idle.map(({ host }) => host.ticket),
      hostDeadline(0),
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
  const renewal = setInterval(() => launcher.renew([host.ticket], hostDeadline(0)), TEND_MS)
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
