import { createBodyCheck } from '../../src/engine/check-body.ts'
import { createRequireRights } from '../../src/engine/require-rights.ts'
import { createWorkflows } from '../../src/engine/workflows/create-workflows.ts'
import type { Workflows } from '../../src/engine/workflows.ts'
import { commandDefinition } from '../../src/executors/command/definition.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { lostAttemptEnd, toAttemptEnd } from '../../src/model/attempt-end.ts'
import type { ClaimedJob, Lease } from '../../src/model/job.ts'
import type { CancelReason } from '../../src/model/job-status.ts'
import { KINDS } from '../../src/model/kind.ts'
import { LEASE_MS } from '../../src/model/lease.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import type { SecretBox } from '../../src/store/secrets.ts'
import type { Store } from '../../src/store/store.ts'
import type { Random } from '../chaos/random.ts'
import { apiDefinition, broken, done } from '../engine/workflows/scene.ts'
import { BrokenLink, createLink } from './link.ts'

type Attempt = { readonly job: ClaimedJob; readonly lease: Lease; cause: CancelReason | null }

type Options = { readonly store: Store; readonly clock: Clock; readonly random: Random; readonly secrets: SecretBox }

/** The largest run; small, so that extensions reach it. */
const MAX_ITEMS = 12

/**
 * One server process of the simulation: the product's workflows and firing, and a worker whose attempts last for a few
 * turns. Turns stand in the place of timers; all time is the simulation's.
 */
export const createServer = ({ store, clock, random, secrets }: Options) => {
  const workerId = newId()
  const link = createLink(store, random)
  const definitions = [commandDefinition, apiDefinition]
  const { workflows, fire } = createWorkflows({
    store: link.store,
    clock,
    logger: silentLogger,
    secrets,
    definitions,
    check: createBodyCheck(definitions),
    requireRights: createRequireRights(definitions),
    maxItems: MAX_ITEMS,
    maxQueued: 100_000,
  })
  let attempts: Attempt[] = []

  const rescue = async (): Promise<void> => {
    const lost = await link.store.listLostAttempts({ leaseMs: LEASE_MS, limit: 100 })
    if (lost.length === 0) return
    await link.store.endAttempts(lost.map(one => ({ lease: one.lease, end: lostAttemptEnd(one), log: [] })))
  }

  const extend = async ({ job }: Attempt): Promise<void> => {
    if (job.runId === null) return
    const items = Array.from({ length: random.between(1, 3) }, () => ({ command: 'added' }))
    await workflows.extend({ workspace: job.workspace, jobId: job.id, attempt: job.attempt, items })
  }

  /** Asks which attempts are to stop, and renews the leases of the rest; it continues with lost ones, as a hung worker does. */
  const renew = async (): Promise<void> => {
    const leases = attempts.map(attempt => attempt.lease)
    if (leases.length > 0 && random.chance(0.9)) await link.store.renewLeases({ leases, leaseMs: LEASE_MS })
    for (const order of await link.store.listCancelling({ workerId }))
      for (const attempt of attempts)
        if (attempt.job.id === order.jobId && attempt.job.attempt === order.attempt) attempt.cause ??= order.reason
  }

  const endSome = async (share: number): Promise<void> => {
    const ending = attempts.filter(() => random.chance(share))
    attempts = attempts.filter(attempt => !ending.includes(attempt))
    const ends = ending.map(({ job, lease, cause }) => ({
      lease,
      end: toAttemptEnd(anyOutcome(random), cause, job)!,
      log: [],
    }))
    if (ends.length > 0) await link.store.endAttempts(ends)
  }

  const claim = async (): Promise<void> => {
    const jobs = await link.store.claimJobs({ workerId, kinds: KINDS, limit: random.between(1, 6), leaseMs: LEASE_MS })
    for (const job of jobs) {
      const lease = { jobId: job.id, attempt: job.attempt, leaseToken: job.leaseToken }
      attempts.push({ job, lease, cause: null })
    }
  }

  return {
    workerId,
    workflows,
    /** What the loops of the `scheduler` role do, in any order. */
    schedule: async (): Promise<void> => {
      const duties: (() => Promise<unknown>)[] = [
        fire.pass,
        () => link.store.startDueRuns({ limit: 100 }),
        () => link.store.promoteDueJobs({ limit: 100 }),
        rescue,
      ]
      for (const duty of random.chance(0.5) ? duties : duties.toReversed()) await survive(duty())
    },
    /** What the worker does: renews leases, ends some of its attempts, claims more. */
    work: async ({ endShare }: { endShare: number }): Promise<void> => {
      await survive(renew())
      await survive(endSome(endShare))
      await survive(claim())
      for (const attempt of attempts) if (random.chance(0.1)) await survive(extend(attempt))
      // Most work ends before the next turn, which may be hours later: the rest loses its lease to the rescue.
      await survive(endSome(endShare))
    },
    /** Dies at once: its calls are cut off, its attempts are gone. */
    die: link.cut,
  }
}

export type Server = Omit<ReturnType<typeof createServer>, 'workflows'> & { readonly workflows: Workflows }

/** Loops log failures and retry; calls are refused if their conditions do not hold. */
const survive = async (turn: Promise<unknown>): Promise<void> => {
  try {
    await turn
  } catch (error) {
    if (!(error instanceof BrokenLink) && (error as Error).name !== 'MillraceError') throw error
  }
}

const lostConnection: Outcome = { type: 'failed', failure: 'system', reason: 'connection_failed', message: 'gone' }

const anyOutcome = (random: Random): Outcome => {
  if (random.chance(0.1)) return broken
  return random.chance(0.05) ? lostConnection : done
}
