import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MeasuredQuery } from '../contestants/queries.ts'
import { startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'
import { median } from '../harness/statistics.ts'

const ROWS = 10_000_000
/** Rows as people have them, sorted by time and compressed: what a job does next to its data. */
const TABLE = [
  'CREATE TABLE events (at DateTime64(3), sensor String, value Float64) ENGINE = MergeTree ORDER BY at',
  `INSERT INTO events SELECT toDateTime64('2026-01-01', 3) + number / 10, concat('sensor-', toString(cityHash64(number) % 5000)),
     (cityHash64(number, 1) % 1000000) / 1000 FROM numbers(${ROWS})`,
  'OPTIMIZE TABLE events FINAL',
]

/** Numbers cost chDB next to nothing: what is measured against them is the disk's flush and SHA-256. Text is what it works for. */
const QUERIES = {
  table: 'SELECT at, sensor, value FROM events',
  numbers: `SELECT number AS id, toUInt32(number % 1000) AS bucket, number / 3 AS value FROM numbers(${ROWS})`,
  text: `SELECT number AS id, toUInt32(number % 1000) AS bucket, toString(number) AS value FROM numbers(${ROWS})`,
}
const MEBIBYTE = 2 ** 20

/**
 * A query job of ten million rows to an Arrow file, hashed and on the disk, against chDB that writes the same file itself: until
 * it is on the disk too, and until it is in the memory of the kernel; and against a program that writes what chDB's package hands out.
 */
export const scenario: Scenario = {
  name: 'query-arrow',
  about: `${ROWS.toLocaleString('en')} rows × 3 columns to Arrow: a job from submit to completed, chDB alone writing the file`,
  async run(context) {
    const peerDirectory = join(context.directory, 'peer')
    await mkdir(peerDirectory)
    const server = await startContestant(context, {
      module: 'contestants/queries.ts',
      options: { dataDir: join(context.directory, 'data') },
    })
    const chdb = await startContestant(context, { module: 'peers/chdb.ts', options: { directory: peerDirectory } })
    const machine = await openMachine()
    const runs: MeasuredQuery[] = []
    const job = (sql: string) => async (): Promise<number> => {
      const run = await server.call<MeasuredQuery>('run', { sql, format: 'arrow' })
      if (run.rows !== ROWS) throw new Error(`the result has ${run.rows} rows`)
      await server.call('forget', run.jobId)
      runs.push(run)
      return run.seconds
    }
    const alone =
      (query: string, operation: 'write' | 'writeHandedOut' | 'writeAndFlush') => async (): Promise<number> => {
        const sql = `${query} SETTINGS output_format_arrow_compression_method = 'none'`
        return (await chdb.call<{ seconds: number }>(operation, { sql, format: 'Arrow' })).seconds
      }
    const compare = async ([name, sql]: readonly [string, string]): Promise<readonly Row[]> => {
      const sides = {
        job: job(sql),
        written: alone(sql, 'write'),
        flushed: alone(sql, 'writeAndFlush'),
        'handed out': alone(sql, 'writeHandedOut'),
      }
      const rounds = await interleave({ machine, sides, rounds: context.rounds, note: context.note })
      const size = round(runs.at(-1)!.bytes / MEBIBYTE)
      const row = (against: 'written' | 'flushed' | 'handed out'): Row => {
        const { ratio, a, b, spread } = medianRatio(rounds, 'job', against)
        const range = spread.map(value => value.toFixed(2)).join('…')
        const figures = `${round(a)} : ${round(b)} s for ${size} MiB (rounds ${range} ×)`
        return {
          name: `query-arrow/${name}, ${against}`,
          value: ratio,
          unit: '×',
          bound: 1.4,
          good: 'at most',
          figures,
        }
      }
      return [row('flushed'), row('handed out'), row('written')]
    }
    try {
      await server.call('prepare', TABLE)
      await chdb.call('run', TABLE)
      await job(QUERIES.numbers)()
      await alone(QUERIES.numbers, 'write')()
      runs.length = 0
      const rows: Row[] = []
      for (const query of Object.entries(QUERIES)) rows.push(...(await compare(query)))
      const growth = runs.map(run => run.growth / MEBIBYTE)
      return [
        ...rows,
        {
          name: 'query-arrow/memory',
          value: median(growth),
          unit: 'MiB',
          bound: 64,
          good: 'at most',
          figures: `growth of the server's resident set in each run: ${growth.map(round).join(', ')}`,
        },
      ]
    } finally {
      await Promise.all([machine.close(), server.close(), chdb.close()])
    }
  },
}
