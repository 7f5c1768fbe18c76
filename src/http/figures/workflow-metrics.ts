import { Counter, Histogram, type Registry } from '@prometheus-io/client'
import type { Store } from '../../store/store.ts'
import type { FireResult, WorkflowFire } from '../../store/workflow-store.ts'

/** The target for schedules is 10 ms at most; after a server was stopped it may be minutes. */
const LATENESS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

type Fires = readonly WorkflowFire[]

/** Wraps the store to count schedules and deliveries. */
export const countWorkflows = (store: Store, registers: Registry[]): Store => {
  const counters = createCounters(registers)
  /** When the due slots should fire, and the store's clock at that time. */
  let due = new Map<string, { readonly slot: number; readonly fireAt: number }>()
  let asked = { now: 0, at: 0 }

  const watched: Pick<Store, 'listDueWorkflows' | 'fireWorkflows' | 'endDeliveries'> = {
    listDueWorkflows: async input => {
      const answer = await store.listDueWorkflows(input)
      due = new Map(answer.due.flatMap(({ id, timing }) => (timing.next ? [[id, timing.next] as const] : [])))
      asked = { now: answer.now, at: performance.now() }
      return answer
    },
    fireWorkflows: async fires => {
      const results = await store.fireWorkflows(fires)
      const now = asked.now + (performance.now() - asked.at)
      countFires({ fires, results, latenessOf: fire => now - instantOf(fire) }, counters)
      return results
    },
    endDeliveries: async ends => {
      await store.endDeliveries(ends)
      for (const { outcome } of ends) counters.deliveries.labels({ outcome: outcome.type }).inc()
    },
  }

  /** Includes the jitter. For a missed slot that is caught up, the jitter is not known here. */
  const instantOf = ({ workflowId, slot }: WorkflowFire): number => {
    const next = due.get(workflowId)
    return next?.slot === slot ? next.fireAt : slot!
  }

  return new Proxy(store, {
    get: (target, name) => (Object.hasOwn(watched, name) ? Reflect.get(watched, name) : bound(target, name)),
  })
}

const bound = (target: Store, name: PropertyKey): unknown => {
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? member.bind(target) : member
}

type Counters = ReturnType<typeof createCounters>

const createCounters = (registers: Registry[]) => ({
  lateness: new Histogram({
    name: 'millrace_schedule_lateness_seconds',
    help: 'From the instant a slot was to fire to its run, of runs made by this process.',
    buckets: LATENESS_SECONDS,
    registers,
  }),
  slots: new Counter({
    name: 'millrace_schedule_slots_total',
    help: 'Slots that this process dealt with: fired, waiting for another run, or skipped with the reason.',
    labelNames: ['outcome'],
    registers,
  }),
  deliveries: new Counter({
    name: 'millrace_delivery_tries_total',
    help: 'Tries of deliveries by this process, by how they ended.',
    labelNames: ['outcome'],
    registers,
  }),
})

type Fired = {
  readonly fires: Fires
  readonly results: readonly FireResult[]
  readonly latenessOf: (fire: WorkflowFire) => number
}

const countFires = ({ fires, results, latenessOf }: Fired, { lateness, slots }: Counters): void => {
  for (const [index, fire] of fires.entries()) {
    const result = results[index]
    if (result === undefined || result.type === 'lost') continue
    for (const { reason, count } of fire.skipped) slots.labels({ outcome: reason }).inc(count)
    if (fire.slot === null) continue
    if (result.type === 'skipped') {
      slots.labels({ outcome: result.reason ?? 'skipped' }).inc()
      continue
    }
    slots.labels({ outcome: result.type }).inc()
    if (result.type === 'fired') lateness.observe(Math.max(0, latenessOf(fire)) / 1000)
  }
}
