import { join } from 'node:path'
import { TOKEN } from '../contestants/bench-server.ts'
import type { Followed } from '../contestants/follower.ts'
import { type Contestant, startContestant } from '../harness/contestant.ts'
import { openMachine } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'
import { median } from '../harness/statistics.ts'

const LINE = '2026-11-22 12:00:00 INFO step finished, 42 rows written'
const MEBIBYTE = 2 ** 20
/** 50 clients are sent a hundred times as much: whatever is buffered for them shows. */
const MOST_GROWTH_MIB = 128

/** Live followers of a job that writes as fast as it can, one message a line. */
export const scenario: Scenario = {
  name: 'followers',
  about: 'lines per second to one WebSocket client and to 50 clients of one job, from its start to its end',
  async run(context) {
    const server = await startContestant(context, {
      module: 'contestants/commands.ts',
      options: { dataDir: join(context.directory, 'data') },
    })
    const clients = await startContestant(context, { module: 'contestants/follower.ts', options: {} })
    try {
      await follow({ server, clients, count: 1, lines: 200_000 })
      const one = await calmest(context, () => follow({ server, clients, count: 1, lines: 2_000_000 }))
      const fifty = await calmest(context, () => follow({ server, clients, count: 50, lines: 300_000 }))
      return [
        rateRow('followers/1 client', one, 300_000),
        rateRow('followers/50 clients, slowest', fifty, 20_000),
        wholeRow(fifty),
        memoryRow(fifty),
      ]
    } finally {
      await Promise.all([clients.close(), server.close()])
    }
  },
}

type Run = { readonly lines: number; readonly followed: readonly Followed[]; readonly growth: number }
type Parts = {
  readonly server: Contestant
  readonly clients: Contestant
  readonly count: number
  readonly lines: number
}

/** The clients connect while the job waits for them. */
const follow = async ({ server, clients, count, lines }: Parts): Promise<Run> => {
  const url = await server.call<string>('address')
  const jobId = await server.call<string>('submitOne', { command: `sleep 1; yes '${LINE}' | head -n ${lines}` })
  await server.call('watchMemory')
  await clients.call('watch', { url, token: TOKEN, jobId, clients: count })
  const followed = await clients.call<readonly Followed[]>('results')
  return { lines, followed, growth: await server.call<number>('memoryGrowth') }
}

/** Of five runs the three in which the machine was least disturbed. */
const calmest = async (context: BenchContext, run: () => Promise<Run>): Promise<readonly Run[]> => {
  const machine = await openMachine()
  const runs: { value: Run; disturbance: number }[] = []
  for (let i = 0; i < 5; i++) {
    const measured = await machine.watch(run)
    runs.push(measured)
    context.note(`${round(slowest(measured.value))} lines/s (disturbance ${measured.disturbance.toFixed(2)})`)
  }
  await machine.close()
  return runs
    .sort((a, b) => a.disturbance - b.disturbance)
    .slice(0, 3)
    .map(({ value }) => value)
}

const slowest = ({ followed }: Run): number => Math.min(...followed.map(({ lines, seconds }) => lines / seconds))

const rateRow = (name: string, runs: readonly Run[], bound: number): Row => ({
  name,
  value: median(runs.map(slowest)),
  unit: 'lines/s',
  bound,
  good: 'at least',
  figures: `runs ${runs.map(run => round(slowest(run))).join(', ')}`,
})

const wholeRow = (runs: readonly Run[]): Row => {
  const whole = ({ followed, lines }: Run) => followed.filter(client => client.isWhole && client.lines === lines).length
  return {
    name: 'followers/50 clients, complete',
    value: Math.min(...runs.map(whole)),
    unit: 'clients',
    bound: 50,
    good: 'at least',
    figures: 'every line once and in order, then the end',
  }
}

const memoryRow = (runs: readonly Run[]): Row => ({
  name: 'followers/50 clients, memory',
  value: median(runs.map(({ growth }) => growth)) / MEBIBYTE,
  unit: 'MiB',
  bound: MOST_GROWTH_MIB,
  good: 'at most',
  figures: `growth of the server's resident set: ${runs.map(({ growth }) => round(growth / MEBIBYTE)).join(', ')}`,
})
