import type { Clock } from '../kernel/clock.ts'

/** Limits concurrent deliveries per receiver, so that a slow one does not block the others. */
export interface Receivers {
  /** true: proceed, and call `leave` at the end. false: the receiver is busy, try again later. May wait a moment. */
  enter(host: string): Promise<boolean>
  leave(host: string, result: { readonly tookMs: number }): void
  /** Number of callers waiting in `enter`. */
  readonly waiting: number
}

type Waiting = { readonly answer: (mayGo: boolean) => void }
type Host = { running: number; slow: number; lastEndAt: number; readonly waiting: Set<Waiting> }

type Bounds = {
  /** Concurrent deliveries per host. */
  readonly atOnce: number
  /** How many callers may wait for another delivery to the same host to end, and for how long. */
  readonly mostWaiting: number
  readonly patienceMs: number
  readonly clock: Clock
}

/** A response that takes longer is slow. After `SLOW_IN_ROW` of these, the host gets only `SLOW_AT_ONCE` deliveries at once. */
const SLOW_MS = 5_000
const SLOW_IN_ROW = 3
const SLOW_AT_ONCE = 4
/** Nobody waits for a full host on which nothing has ended for this long. */
const STALLED_MS = 2_000
/** Up to this many slow hosts are remembered. */
const MAX_HOSTS = 10_000

export const createReceivers = ({ atOnce, mostWaiting, patienceMs, clock }: Bounds): Receivers => {
  const hosts = new Map<string, Host>()
  let waiting = 0

  const isSlow = (host: Host): boolean => host.slow >= SLOW_IN_ROW
  const hasRoom = (host: Host): boolean => host.running < (isSlow(host) ? SLOW_AT_ONCE : atOnce)

  const hostOf = (name: string): Host => {
    const host = hosts.get(name) ?? { running: 0, slow: 0, lastEndAt: clock.monotonic(), waiting: new Set() }
    hosts.set(name, host)
    return host
  }

  const wait = (host: Host): Promise<boolean> =>
    new Promise(resolve => {
      const answer = (mayGo: boolean): void => {
        clearTimeout(timer)
        host.waiting.delete(entry)
        waiting -= 1
        if (mayGo) host.running += 1
        resolve(mayGo)
      }
      const entry = { answer }
      const timer = setTimeout(answer, patienceMs, false)
      host.waiting.add(entry)
      waiting += 1
    })

  /** Admits waiting callers. Nobody waits for a slow host. */
  const admit = (host: Host): void => {
    for (const { answer } of host.waiting) {
      if (hasRoom(host)) answer(true)
      else if (isSlow(host)) answer(false)
      else return
    }
  }

  const forget = (name: string, host: Host): void => {
    if (host.running > 0 || host.waiting.size > 0) return
    if (host.slow === 0 || hosts.size > MAX_HOSTS) hosts.delete(name)
  }

  return {
    enter: async name => {
      const host = hostOf(name)
      if (host.running === 0) host.lastEndAt = clock.monotonic()
      if (hasRoom(host)) {
        host.running += 1
        return true
      }
      const isStalled = clock.monotonic() - host.lastEndAt >= STALLED_MS
      if (isStalled || isSlow(host) || host.waiting.size >= mostWaiting) return false
      return wait(host)
    },
    leave: (name, { tookMs }) => {
      const host = hostOf(name)
      host.running -= 1
      host.lastEndAt = clock.monotonic()
      host.slow = tookMs >= SLOW_MS ? host.slow + 1 : 0
      admit(host)
      forget(name, host)
    },
    get waiting() {
      return waiting
    },
  }
}
