import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LargeLog } from '../contestants/commands.ts'
import { type Contestant, startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'
import { median } from '../harness/statistics.ts'

const COMMAND = 'yes | head -c 1G'
/** `y` and a newline are two bytes. */
const LINES = 2 ** 29
const MEBIBYTE = 2 ** 20

/** A gibibyte of the shortest lines, logged as a job, against the same pipe read by Node and thrown away. */
export const scenario: Scenario = {
  name: 'gigabyte',
  about: `${COMMAND} as a job: time, memory, and small commits meanwhile`,
  async run(context) {
    const server = await startContestant(context, {
      module: 'contestants/commands.ts',
      options: { dataDir: join(context.directory, 'data'), settings: { 'log-max-bytes': '2GiB' } },
    })
    const machine = await openMachine()
    const logs: LargeLog[] = []
    try {
      await server.call('runLarge', 'yes | head -c 64M')
      const sides = { job: () => runJob(server, logs), discard }
      const rounds = await interleave({ machine, sides, rounds: Math.min(context.rounds, 5), note: context.note })
      const { ratio, a, b } = medianRatio(rounds, 'job', 'discard')
      return [
        {
          name: 'gigabyte/time',
          value: ratio,
          unit: '×',
          bound: 2.5,
          good: 'at most',
          figures: `${round(a)} : ${round(b)} s`,
        },
        ...meanwhile(logs),
      ]
    } finally {
      await Promise.all([machine.close(), server.close()])
    }
  },
}

const runJob = async (server: Contestant, logs: LargeLog[]): Promise<number> => {
  const log = await server.call<LargeLog>('runLarge', COMMAND)
  if (log.status !== 'completed' || log.lastSeq !== LINES)
    throw new Error(`the log is not whole: ${JSON.stringify(log)}`)
  logs.push(log)
  return log.seconds
}

const discard = async (): Promise<number> => {
  const start = performance.now()
  const child = spawn('/bin/sh', ['-c', COMMAND], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.resume()
  await once(child, 'close')
  return (performance.now() - start) / 1000
}

const meanwhile = (logs: readonly LargeLog[]): readonly Row[] => [
  {
    name: 'gigabyte/memory',
    value: median(logs.map(({ growth }) => growth)) / MEBIBYTE,
    unit: 'MiB',
    bound: 64,
    good: 'at most',
    figures: `growth of the resident set in each run: ${logs.map(({ growth }) => round(growth / MEBIBYTE)).join(', ')}`,
  },
  {
    name: 'gigabyte/commit p99',
    value: median(logs.map(({ commitP99 }) => commitP99)),
    unit: 'ms',
    bound: 5,
    good: 'at most',
    figures: `of ${logs.map(({ commits }) => commits).join(', ')} commits: ${logs.map(log => round(log.commitP99)).join(', ')}`,
  },
]
