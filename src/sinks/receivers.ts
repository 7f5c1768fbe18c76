import type { Clock } from '../kernel/clock.ts'

/** Bounds what goes to one receiver at once, so that a slow one does not hold back the others. */
export interface Receivers {
  /** true: go on now, and call `leave` in the end. false: the receiver has enough for now, try again later. May wait a moment. */
  enter(host: string): Promise<boolean>
  leave(host: string, result: { readonly tookMs: number }): void
  /** How many wait in `enter`. */
  readonly waiting: number
}

type Waiting = { readonly answer: (mayGo: boolean) => void }
type Host = { running: number; slow: number; lastEndAt: number; readonly waiting: Set<Waiting> }

type Bounds = {
  /** At once to one host. */
  readonly atOnce: number
  /** How long one waits for another of its host to end. */
  readonly patienceMs: number
  readonly clock: Clock
}

/** Who takes longer is slow; after some such answers in a row no more than a few at once are spent on it. */
const SLOW_MS = 5_000
const SLOW_IN_ROW = 3
const SLOW_AT_ONCE = 4
/** Nobody waits for a host that is full and has ended nothing for so long. */
const STALLED_MS = 2_000
/** Those that have been slow are remembered up to this many. */
const MAX_HOSTS = 10_000

export const createReceivers = ({ atOnce, patienceMs, clock }: Bounds): Receivers => {
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

  /** Lets in who waits; nobody waits for a slow one. */
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
      return isStalled || isSlow(host) ? false : wait(host)
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
