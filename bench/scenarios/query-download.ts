import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { MeasuredQuery } from '../contestants/queries.ts'
import { startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'

const SQL = 'SELECT number AS id, toUInt32(number % 1000) AS bucket, number / 3 AS value FROM numbers(50000000)'
const run = promisify(execFile)

/** curl of a result of a gigabyte, against curl of the same file from a Node server that only streams it. */
export const scenario: Scenario = {
  name: 'query-download',
  about: 'download of a 1 GB result on loopback with curl, against a bare Node file stream',
  async run(context) {
    const server = await startContestant(context, {
      module: 'contestants/queries.ts',
      options: { dataDir: join(context.directory, 'data'), settings: { 'max-result-bytes': '2GiB' } },
    })
    const machine = await openMachine()
    const copy = join(context.directory, 'result.arrow')
    try {
      const { jobId, bytes } = await server.call<MeasuredQuery>('run', { sql: SQL, format: 'arrow' })
      const { url, token } = await server.call<{ url: string; token: string }>('download', jobId)
      const header = `authorization: Bearer ${token}`
      await curl([url, '-H', header], copy)
      const bare = await startContestant(context, { module: 'peers/file-stream.ts', options: { path: copy } })
      const address = await bare.call<string>('address')
      const sides = { result: () => curl([url, '-H', header]), bare: () => curl([address]) }
      try {
        await sides.bare()
        const rounds = await interleave({ machine, sides, rounds: context.rounds, note: context.note })
        const { ratio, a, b, spread } = medianRatio(rounds, 'result', 'bare')
        const range = spread.map(value => value.toFixed(2)).join('…')
        const figures = `${round(a)} : ${round(b)} s for ${round(bytes / 1e9)} GB (rounds ${range} ×)`
        return [{ name: 'query-download/bare', value: ratio, unit: '×', bound: 1.2, good: 'at most', figures }]
      } finally {
        await bare.close()
      }
    } finally {
      await Promise.all([machine.close(), server.close()])
    }
  },
}

/** Seconds. */
const curl = async (args: readonly string[], output = '/dev/null'): Promise<number> => {
  const start = performance.now()
  await run('curl', ['-sS', '--fail', '-o', output, ...args])
  return (performance.now() - start) / 1000
}
