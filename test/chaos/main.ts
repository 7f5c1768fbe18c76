import { parseArgs } from 'node:util'
import { runChaos } from './chaos.ts'

/**
 * Kills servers under load and checks that nothing acknowledged is lost.
 *
 *     npm run chaos                                   200 kills of one embedded server and its launcher
 *     npm run chaos -- --kills 50 --seed 7            fewer, and the same choices as another run
 *     npm run chaos -- --launcher portable            with the fallback launcher
 *     npm run chaos -- --database-url postgres://…    two servers on one PostgreSQL
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string' },
    launcher: { type: 'string', default: 'auto' },
    'database-url': { type: 'string' },
  },
})

const seed = Number(values.seed ?? Date.now() % 1_000_000)
const url = values['database-url']
console.log(`seed ${seed}`)
const report = await runChaos({
  kills: Number(values.kills),
  seed,
  servers: url === undefined ? 1 : 2,
  environment: { MILLRACE_LAUNCHER: values.launcher, ...(url !== undefined && { MILLRACE_DATABASE_URL: url }) },
  note: text => console.log(text),
})
const { server, launcher, both } = report.kills
console.log(
  `${report.jobs} jobs acknowledged, ${report.interrupted} of them interrupted; killed: server ${server}, launcher ${launcher}, both ${both}`,
)
for (const fault of report.faults) console.log(`FAULT ${fault}`)
if (report.faults.length > 0) console.log(`seed ${seed}; evidence in ${report.directory}`)
else console.log('every promise kept')
process.exitCode = report.faults.length === 0 ? 0 : 1
