import { setTimeout as sleep } from 'node:timers/promises'
import { type BenchServerOptions, createNoop, NOOP_DEFINITION, SUBMITTER, startBenchServer } from './bench-server.ts'

const MINUTE = 60_000
/** Created at once. */
const BATCH = 100
/** A slot that has not run so long after the last one counts as missed; the next of its workflow is near then. */
const PATIENCE_MS = 45_000

/** What became of the slots of some time; latenesses in ms, from the slot to the call of the executor. */
export type Slots = { readonly lateness: readonly number[]; readonly missed: number; readonly doubled: number }

/** Millrace with the no-op executor and many workflows that each run every minute, spread over it. */
export const open = async (options: BenchServerOptions) => {
  const offsets = new Map<string, number>()
  /** By workflow and slot: when its job was run, each time. */
  const starts = new Map<string, number[]>()
  const noop = createNoop(() => {})
  const server = await startBenchServer(options, {
    executors: [
      {
        ...noop,
        run(job, context) {
          const now = Date.now()
          const offset = offsets.get(job.workflowId!)
          if (offset !== undefined) {
            const key = keyOf(job.workflowId!, lastSlot(offset, now))
            starts.set(key, [...(starts.get(key) ?? []), now])
          }
          return noop.run(job, context)
        },
      },
    ],
    definitions: [NOOP_DEFINITION],
  })

  const create = async (index: number, offset: number): Promise<void> => {
    const { id } = await server.engine.workflows.create({
      author: SUBMITTER,
      definition: {
        name: `every-minute-${index}`,
        payload: [{ command: ['true'] }],
        schedule: { intervals: [{ every: MINUTE, offset }] },
      },
    })
    offsets.set(id, offset)
  }

  return {
    async create(count: number): Promise<void> {
      for (let first = 0; first < count; first += BATCH) {
        const indexes = Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => first + index)
        await Promise.all(indexes.map(index => create(index, Math.floor((index * MINUTE) / count))))
      }
    },
    /** Slots whose time comes within the next `ms`. */
    async watch(ms: number): Promise<Slots> {
      const from = Date.now()
      const to = from + ms
      let slots: Slots
      do {
        await sleep(Math.max(to - Date.now(), 1000))
        slots = account({ offsets, starts, from, to })
      } while (slots.missed > 0 && Date.now() < to + PATIENCE_MS)
      return slots
    },
    close: () => server.stop(),
  }
}

const keyOf = (workflowId: string, slot: number): string => `${workflowId} ${slot}`

/** The slot of a workflow that a run at `now` belongs to; one that is later than a minute shows as missed and doubled. */
const lastSlot = (offset: number, now: number): number => Math.floor((now - offset) / MINUTE) * MINUTE + offset

const account = (input: {
  offsets: ReadonlyMap<string, number>
  starts: ReadonlyMap<string, readonly number[]>
  from: number
  to: number
}): Slots => {
  const lateness: number[] = []
  let missed = 0
  let doubled = 0
  for (const [workflowId, offset] of input.offsets) {
    for (let slot = lastSlot(offset, input.from) + MINUTE; slot <= input.to; slot += MINUTE) {
      const [first, ...others] = input.starts.get(keyOf(workflowId, slot)) ?? []
      if (first === undefined) missed++
      else lateness.push(first - slot)
      doubled += others.length
    }
  }
  return { lateness, missed, doubled }
}
