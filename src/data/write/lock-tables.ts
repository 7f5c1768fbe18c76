import type { Clock } from '../../kernel/clock.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { leaseOf } from '../../model/lease.ts'
import type { DataStore, TableBusy } from '../../store/data-store.ts'
import { createTurns, tableOfTurn } from './turns.ts'

type Input = {
  readonly store: Pick<DataStore, 'lockTables' | 'unlockTables'>
  readonly job: Pick<ClaimedJob, 'id' | 'attempt' | 'leaseToken' | 'workspace'>
  readonly tables: readonly string[]
  readonly signal: AbortSignal
  /** Called when it has to wait, with the reason; null: not any more. */
  readonly onWait: (text: string | null) => void
  /** Waits while another job may use this one's slot. */
  readonly lendSlot: LendSlot
  readonly clock: Pick<Clock, 'monotonic'>
}

export type LendSlot = <T>(wait: () => Promise<T>) => Promise<T>

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

/**
 * Waits until nobody else writes these tables; then holds them for as long as the attempt lives. `stopped`: the attempt must stop, or has lost its lease. Takes
 * tables only while it has a slot, so that a holder of tables always works and never waits for a slot.
 */
export const lockTables = async ({
  store,
  job,
  tables,
  signal,
  onWait,
  lendSlot,
  clock,
}: Input): Promise<'locked' | 'stopped'> => {
  const { workspace } = job
  const holder = { lease: leaseOf(job) }
  const turns = createTurns({ store, workspace, tables, id: `${job.id}.${job.attempt}` })
  const begunAt = clock.monotonic()
  let hasWaited = false
  try {
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const unless = await turns.unless(clock.monotonic() - begunAt)
      const answer = await store.lockTables({ workspace, tables, unless, holder })
      if (answer.type === 'lost') return 'stopped'
      if (answer.type === 'locked') {
        if (hasWaited) onWait(null)
        return 'locked'
      }
      hasWaited = true
      onWait(reasonOf(answer))
      await lendSlot(() => sleep(pause, signal))
    }
    return 'stopped'
  } finally {
    await turns.end()
  }
}

const reasonOf = ({ table, jobId }: TableBusy): string => {
  const name = tableOfTurn(table)
  if (name !== null) return `waits for a job that has waited longer for ${name}`
  return `waits for ${jobId === null ? 'a call' : `job ${jobId}`}, which writes ${table}`
}

/** Resolves after the time, or when aborted. */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
