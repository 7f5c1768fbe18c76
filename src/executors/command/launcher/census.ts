import { COOKIE_VARIABLE, systemTime } from '../../launched-process.ts'
import { listPids, type ProcessEntry, readProcess, readVariable } from './process-table.ts'

/** The processes young enough to belong to a command. */
export type Table = ReadonlyMap<number, ProcessEntry>

/** Lists the system's processes repeatedly, reading each older process only once. */
export interface Census {
  /** All processes except this one that started at `bornAt` or later. */
  take(bornAt: number): Table
  cookieOf(entry: ProcessEntry): string | null
}

/** Within this time, process ids cannot wrap around and be reused. */
const TRUSTED_MS = 1000

export const createCensus = (): Census => {
  let elders = new Set<number>()
  let cookies = new Map<number, { readonly startedAt: number; readonly cookie: string | null }>()
  let takenAt = Number.NEGATIVE_INFINITY

  return {
    take(bornAt) {
      const now = systemTime()
      const known = now - takenAt < TRUSTED_MS ? elders : new Set<number>()
      const old = new Set<number>()
      const table = new Map<number, ProcessEntry>()
      for (const pid of listPids()) {
        const entry = known.has(pid) ? null : readProcess(pid)
        if (known.has(pid) || (entry !== null && entry.startedAt < bornAt)) old.add(pid)
        else if (entry !== null && pid !== process.pid) table.set(pid, entry)
      }
      elders = old
      cookies = new Map([...cookies].filter(([pid]) => table.has(pid)))
      takenAt = now
      return table
    },
    cookieOf({ pid, startedAt }) {
      const known = cookies.get(pid)
      if (known?.startedAt === startedAt) return known.cookie
      const cookie = readVariable(pid, COOKIE_VARIABLE)
      cookies.set(pid, { startedAt, cookie })
      return cookie
    },
  }
}
