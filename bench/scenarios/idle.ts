import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openMachine } from '../harness/machine.ts'
import { freePort } from '../harness/redis.ts'
import { round } from '../harness/result.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'
import { median } from '../harness/statistics.ts'
import { waitUntil } from '../harness/wait-until.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RUNS = 5
const SETTLE_MS = 3000

/** What a server that does nothing takes, and how soon it is there. */
export const scenario: Scenario = {
  name: 'idle',
  about: 'npm start to ready, and the memory of all processes of the idle server',
  async run(context) {
    const machine = await openMachine()
    const runs: { value: Idle; disturbance: number }[] = []
    for (let number = 1; number <= RUNS; number++) {
      const run = await machine.watch(() => measure(context, number))
      context.note(`${run.value.seconds.toFixed(2)} s (disturbance ${run.disturbance.toFixed(2)})`)
      runs.push(run)
    }
    await machine.close()
    const calm = runs
      .sort((a, b) => a.disturbance - b.disturbance)
      .slice(0, 3)
      .map(({ value }) => value)
    const memory = calm[0]!.processes
    return [
      {
        name: 'idle/memory',
        value: median(calm.map(({ processes }) => processes.reduce((sum, { pss }) => sum + pss, 0))),
        unit: 'MB',
        bound: 190,
        good: 'at most',
        figures: `proportional set size; ${memory.map(({ name, pss, rss }) => `${name} ${round(pss)} (resident ${round(rss)})`).join(', ')}`,
      },
      {
        name: 'idle/start',
        value: median(calm.map(({ seconds }) => seconds)),
        unit: 's',
        bound: 1.5,
        good: 'at most',
        figures: `from npm start to a ready /readyz: ${runs.map(({ value }) => value.seconds.toFixed(2)).join(', ')}`,
      },
    ]
  },
}

type Idle = { readonly seconds: number; readonly processes: readonly ProcessMemory[] }
/** In MB (10^6 bytes). The proportional set size divides pages shared by processes among them (proc(5), smaps_rollup). */
type ProcessMemory = { readonly name: string; readonly pss: number; readonly rss: number }

const measure = async (context: BenchContext, number: number): Promise<Idle> => {
  const port = await freePort()
  const dataDir = join(context.directory, `data-${number}`)
  const start = performance.now()
  const npm = spawn('npm', ['start'], {
    cwd: ROOT,
    env: { ...process.env, MILLRACE_PORT: String(port), MILLRACE_DATA_DIR: dataDir, MILLRACE_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  })
  const exited = once(npm, 'exit')
  try {
    await waitUntil(() => isReady(port), { what: 'the server is ready', withinMs: 30_000, everyMs: 5 })
    const seconds = (performance.now() - start) / 1000
    await sleep(SETTLE_MS)
    const { pid } = JSON.parse(readFileSync(join(dataDir, 'server.json'), 'utf8')) as { pid: number }
    return { seconds, processes: descendants(pid).map(readMemory) }
  } finally {
    if (npm.exitCode === null) process.kill(-npm.pid!, 'SIGTERM')
    await exited
  }
}

const isReady = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    answer => answer.ok,
    () => false,
  )

/** A process and all below it. npm itself, which waits above the server, is not part of it. */
const descendants = (pid: number): readonly number[] => {
  const children = readdirSync(`/proc/${pid}/task`).flatMap(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(descendants)]
}

const readMemory = (pid: number): ProcessMemory => {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const read = (field: string) => (Number(rollup.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1]) * 1024) / 1e6
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  return { name: commandLine.includes('launcher') ? 'launcher' : 'server', pss: read('Pss'), rss: read('Rss') }
}
