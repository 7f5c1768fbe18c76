import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio, type Ratio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { BenchContext, Scenario } from '../harness/scenario.ts'

const JOBS = 2000
const AT_ONCE = 8

/** The shortest real command, with its log and history kept, against `xargs` that keeps nothing. */
export const scenario: Scenario = {
  name: 'true',
  about: `/bin/true as jobs, ${AT_ONCE} at a time, against xargs -P${AT_ONCE} -n1 /bin/true`,
  async run(context) {
    const native = await startServer(context, 'native', 0)
    const portable = await startServer(context, 'portable', 0)
    const large = await startServer(context, 'native', 2 ** 30)
    const machine = await openMachine()
    try {
      const sides = { xargs: runXargs, native: runJobs(native), portable: runJobs(portable), large: runJobs(large) }
      for (const warmUp of [sides.native, sides.portable, sides.large]) await warmUp()
      const rounds = await interleave({ machine, sides, rounds: context.rounds, note: context.note })
      return [
        row('true/native', medianRatio(rounds, 'native', 'xargs'), 0.6),
        row('true/portable', medianRatio(rounds, 'portable', 'xargs'), 0.35),
        row('true/native with 1 GiB more', medianRatio(rounds, 'large', 'native'), 0.9),
      ]
    } finally {
      await Promise.all([machine, native, portable, large].map(part => part.close()))
    }
  },
}

const startServer = (context: BenchContext, launcher: 'native' | 'portable', ballast: number) =>
  startContestant(context, {
    module: 'contestants/commands.ts',
    options: {
      dataDir: join(context.directory, `${launcher}-${ballast}`),
      settings: { launcher, 'max-workers': String(AT_ONCE) },
      ballast,
    },
  })

const runJobs = (server: Awaited<ReturnType<typeof startServer>>) => () =>
  server.call<number>('run', { command: ['/bin/true'], jobs: JOBS })

const runXargs = async (): Promise<number> => {
  const start = performance.now()
  const child = spawn('/bin/sh', ['-c', `seq ${JOBS} | xargs -P${AT_ONCE} -n1 /bin/true`], { stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`xargs ended with ${code}`)
  return (JOBS / (performance.now() - start)) * 1000
}

const row = (name: string, { ratio, a, b, spread }: Ratio, bound: number): Row => ({
  name,
  value: ratio,
  unit: '×',
  bound,
  good: 'at least',
  figures: `${round(a)} : ${round(b)} jobs/s (rounds ${spread.map(value => value.toFixed(2)).join('…')} ×)`,
})
