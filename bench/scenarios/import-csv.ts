import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MeasuredImport } from '../contestants/imports.ts'
import { startContestant } from '../harness/contestant.ts'
import { interleave, medianRatio } from '../harness/interleave.ts'
import { openMachine } from '../harness/machine.ts'
import { type Row, round } from '../harness/result.ts'
import type { Scenario } from '../harness/scenario.ts'
import { median } from '../harness/statistics.ts'

const ROWS = 5_000_000
const BAD_EVERY = 100
const MEBIBYTE = 2 ** 20
const COLUMNS = { id: 'Int64', at: 'DateTime', value: 'Float64', name: 'String' }
const DUCKDB_COLUMNS = { id: 'BIGINT', at: 'TIMESTAMP', value: 'DOUBLE', name: 'VARCHAR' }

/** Some 300 MB. Of the second every hundredth row has a text for a number. */
const SELECTS = {
  clean: `SELECT number AS id, toDateTime('2024-01-01 00:00:00', 'UTC') + number AS at,
    round(sin(number) * 1000, 6) AS value, concat('name-', lower(hex(number))) AS name FROM numbers(${ROWS})`,
  bad: `SELECT if(number % ${BAD_EVERY} = 7, 'none', toString(number)) AS id,
    toDateTime('2024-01-01 00:00:00', 'UTC') + number AS at,
    round(sin(number) * 1000, 6) AS value, concat('name-', lower(hex(number))) AS name FROM numbers(${ROWS})`,
}

/** The import of a CSV by URL against the engines that it could be done with by hand. */
export const scenario: Scenario = {
  name: 'import-csv',
  about: `${ROWS.toLocaleString('en')} rows × 4 typed columns of CSV by URL: a job from submit to completed`,
  async run(context) {
    const peerDirectory = join(context.directory, 'import-peer')
    await mkdir(peerDirectory)
    const server = await startContestant(context, {
      module: 'contestants/imports.ts',
      options: { dataDir: join(context.directory, 'import-data'), columns: COLUMNS },
    })
    const chdb = await startContestant(context, { module: 'peers/chdb.ts', options: { directory: peerDirectory } })
    const duckdb = await startContestant(context, {
      module: 'peers/duckdb.ts',
      options: { path: join(peerDirectory, 'duck.db') },
    })
    const files = { clean: join(peerDirectory, 'clean.csv'), bad: join(peerDirectory, 'bad.csv') }
    for (const [name, path] of Object.entries(files))
      await chdb.call('run', [
        `${SELECTS[name as keyof typeof SELECTS]} INTO OUTFILE '${path}' TRUNCATE FORMAT CSVWithNames`,
      ])
    const sites = {
      clean: await startContestant(context, { module: 'peers/file-stream.ts', options: { path: files.clean } }),
      bad: await startContestant(context, { module: 'peers/file-stream.ts', options: { path: files.bad } }),
    }
    const urls = {
      clean: `${await sites.clean.call<string>('address')}clean.csv`,
      bad: `${await sites.bad.call<string>('address')}bad.csv`,
    }
    const machine = await openMachine()
    const runs: MeasuredImport[] = []
    const job = (name: 'clean' | 'bad') => async (): Promise<number> => {
      const run = await server.call<MeasuredImport>('run', urls[name])
      const bad = name === 'bad' ? ROWS / BAD_EVERY : 0
      if (run.statistics.rows_written !== ROWS - bad || run.statistics.quarantine_rows !== bad)
        throw new Error(`not all rows are accounted for: ${JSON.stringify(run.statistics)}`)
      runs.push(run)
      return run.seconds
    }
    const structure = Object.entries(COLUMNS).map(column => column.join(' '))
    // What a side leaves for later (parts to merge, pages to write back), the other would pay for.
    const alone = async (): Promise<number> => {
      await chdb.call('run', [`CREATE TABLE events (${structure.join(', ')}) ENGINE = MergeTree ORDER BY tuple()`])
      const source = `url('${urls.clean}', 'CSVWithNames', '${structure.join(', ')}')`
      const seconds = await chdb.call<number>('run', [`INSERT INTO events SELECT * FROM ${source}`])
      await chdb.call('run', ['DROP TABLE events SYNC'])
      return seconds
    }
    const duck = () => duckdb.call<number>('load', { csv: files.clean, columns: DUCKDB_COLUMNS })
    type Sides = { a: () => Promise<number>; b: () => Promise<number> }
    const compare = async (name: string, bound: number, sides: Sides): Promise<Row> => {
      const rounds = await interleave({ machine, sides, rounds: context.rounds, note: context.note })
      const { ratio, a, b, spread } = medianRatio(rounds, 'a', 'b')
      const range = spread.map(value => value.toFixed(2)).join('…')
      const figures = `${round(a)} : ${round(b)} s (rounds ${range} ×)`
      return { name: `import-csv/${name}`, value: ratio, unit: '×', bound, good: 'at most', figures }
    }
    try {
      for (const warm of [job('clean'), job('bad'), alone, duck]) await warm()
      runs.length = 0
      const rows = [
        await compare('chdb', 1.3, { a: job('clean'), b: alone }),
        await compare('duckdb', 1.5, { a: job('clean'), b: duck }),
        await compare('bad rows', 1.3, { a: job('bad'), b: job('clean') }),
      ]
      const growth = runs.map(run => run.growth / MEBIBYTE)
      return [
        ...rows,
        {
          name: 'import-csv/memory',
          value: median(growth),
          unit: 'MiB',
          bound: 64,
          good: 'at most',
          figures: `growth of the server's resident set in each run: ${growth.map(round).join(', ')}`,
        },
      ]
    } finally {
      const all = [machine, server, chdb, duckdb, sites.clean, sites.bad]
      await Promise.all(all.map(part => part.close()))
    }
  },
}
