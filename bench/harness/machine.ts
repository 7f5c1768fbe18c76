import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * How much of the machine others took while we measured. Shared machines swing up to fourfold within seconds: a figure
 * counts only when the machine was ours.
 */
export type Machine = {
  /** Measures how disturbed the machine was while `work` ran: 0 is not at all, 1 means half the speed. */
  watch<T>(work: () => Promise<T>): Promise<{ value: T; disturbance: number }>
  close(): Promise<void>
}

/** A slice during which the machine was disturbed more than this is measured again. */
export const TOLERABLE_DISTURBANCE = 0.35

const LOOPS = 4_000_000
const THREADS = Math.min(2, cpus().length)

/** Starts the calibration threads, which sleep between calibrations. */
export const openMachine = async (): Promise<Machine> => {
  const threads = Array.from({ length: THREADS }, () => new Worker(SPIN, { eval: true, workerData: LOOPS }))
  let best = Number.POSITIVE_INFINITY
  const calibrate = async (): Promise<number> => {
    const times = await Promise.all(threads.map(spin))
    const time = Math.max(...times)
    best = Math.min(best, time)
    return time
  }
  for (let i = 0; i < 8; i++) await calibrate()
  return {
    async watch(work) {
      const before = await calibrate()
      takeMemory()
      const start = readLoad()
      const value = await work()
      const foreign = foreignShare(start, readLoad())
      const slowdown = Math.max(before, await calibrate()) / best - 1
      return { value, disturbance: Math.max(slowdown, 2 * foreign) }
    },
    async close() {
      await Promise.all(threads.map(thread => thread.terminate()))
    },
  }
}

/** No more than a part of a small machine's memory, so that nothing of it is written to the disk. */
const TOUCHED_BYTES = Math.min(2 ** 29, totalmem() / 20)

/**
 * The hypervisor of a virtual machine may take back what has been free for 2 s (free page reporting), and gives it again where it is touched, at
 * 1 ns a byte: five times what writing a file costs otherwise. Whoever needs more memory than its peer has just left free would pay that, and
 * a machine of one's own has no such cost. So the pages of a file are touched, and freed, just before: nobody pays.
 */
const takeMemory = (): void => {
  const path = join(tmpdir(), `millrace-bench-${process.pid}.memory`)
  const block = Buffer.alloc(2 ** 20, 1)
  const file = openSync(path, 'w')
  for (let written = 0; written < TOUCHED_BYTES; written += block.length) writeSync(file, block)
  closeSync(file)
  rmSync(path)
}

/** The same work on every thread at once: another's load, a slower clock and stolen time all make it longer. */
const SPIN = `
  const { parentPort, workerData } = require('node:worker_threads')
  parentPort.on('message', () => {
    const start = performance.now()
    let hash = 1
    for (let i = 0; i < workerData; i++) hash = (Math.imul(hash, 31) + i) | 0
    parentPort.postMessage([performance.now() - start, hash])
  })
`

const spin = async (thread: Worker): Promise<number> => {
  thread.postMessage('go')
  const [[time]] = (await once(thread, 'message')) as [[number, number]]
  return time
}

/** Clock ticks since boot: of the whole machine (all, and spent by somebody), and of this process with all below it. */
type Load = { readonly total: number; readonly busy: number; readonly own: number }

const readLoad = (): Load => {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number)
  const total = fields.reduce((sum, field) => sum + field, 0)
  return { total, busy: total - fields[3]! - fields[4]!, own: ownTicks() }
}

/** The share of the machine's time that was spent by others, stolen time included. */
const foreignShare = (start: Load, end: Load): number => {
  const total = end.total - start.total
  const foreign = end.busy - start.busy - (end.own - start.own)
  return total === 0 ? 0 : Math.max(0, foreign) / total
}

/** Time of this process, its descendants and those of their children that have been waited for. */
const ownTicks = (): number => {
  const processes = readProcesses()
  let ticks = 0
  const pending = [process.pid]
  while (pending.length > 0) {
    const pid = pending.pop()!
    ticks += processes.get(pid)?.ticks ?? 0
    for (const [child, { parent }] of processes) if (parent === pid) pending.push(child)
  }
  return ticks
}

/** Every process with its parent and its time, from `/proc/<pid>/stat` (proc(5)). */
const readProcesses = (): ReadonlyMap<number, { parent: number; ticks: number }> => {
  const processes = new Map<number, { parent: number; ticks: number }>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      // The command's name may hold spaces and parentheses: the numbers begin after its last parenthesis.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
      processes.set(Number(name), { parent: Number(fields[1]), ticks })
    } catch {
      // It ended while we looked.
    }
  }
  return processes
}
