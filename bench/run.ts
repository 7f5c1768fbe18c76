import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { formatRow, isReached, type Row } from './harness/result.ts'
import type { BenchContext, Scenario } from './harness/scenario.ts'
import { printProfiles } from './profile.ts'

/**
 * The figures Millrace is to reach, each a ratio against a peer or a bare operation in one run, or an absolute bound.
 *
 *     npm run bench                        everything
 *     npm run bench -- pickup post         scenarios whose name begins so
 *     npm run bench -- --json out.json     the rows as JSON too
 *     npm run bench -- pickup --profile d  a CPU profile of every measured process, and where their time went
 */
const SCENARIOS: readonly (() => Promise<{ scenario: Scenario }>)[] = [
  () => import('./scenarios/noop-embedded.ts'),
  () => import('./scenarios/noop-postgres.ts'),
  () => import('./scenarios/run-items.ts'),
  () => import('./scenarios/pickup.ts'),
  () => import('./scenarios/post.ts'),
  () => import('./scenarios/true.ts'),
  () => import('./scenarios/gigabyte.ts'),
  () => import('./scenarios/followers.ts'),
  () => import('./scenarios/lists.ts'),
  () => import('./scenarios/webhooks.ts'),
  () => import('./scenarios/api-items.ts'),
  () => import('./scenarios/idle.ts'),
  () => import('./scenarios/next-slot.ts'),
  () => import('./scenarios/lateness.ts'),
  () => import('./scenarios/lateness-postgres.ts'),
  () => import('./scenarios/query-arrow.ts'),
  () => import('./scenarios/query-latency.ts'),
  () => import('./scenarios/query-slots.ts'),
  () => import('./scenarios/query-download.ts'),
  () => import('./scenarios/import-csv.ts'),
]

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      profile: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      quiet: { type: 'boolean', default: false },
    },
  })
  const all = await Promise.all(SCENARIOS.map(load => load()))
  const chosen = all.map(module => module.scenario).filter(({ name }) => isChosen(name, positionals))
  if (chosen.length === 0)
    throw new Error(`no scenario of that name: ${all.map(({ scenario }) => scenario.name).join(' ')}`)
  const context: BenchContext = {
    directory: await mkdtemp(join(tmpdir(), 'millrace-bench-')),
    note: text => void (values.quiet || process.stderr.write(`  ${text}\n`)),
    profileDirectory: values.profile === undefined ? null : resolve(values.profile),
    rounds: Number(values.rounds),
  }
  console.log(
    `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
  )
  const rows = await runAll(chosen, context).finally(() => rm(context.directory, { recursive: true, force: true }))
  if (context.profileDirectory !== null) await printProfiles(context.profileDirectory)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`)
  return rows.every(row => 'skipped' in row || isReached(row)) ? 0 : 1
}

const isChosen = (name: string, prefixes: readonly string[]): boolean =>
  prefixes.length === 0 || prefixes.some(prefix => name.startsWith(prefix))

/** One scenario after the other; one that breaks does not hide the figures of the rest. */
const runAll = async (scenarios: readonly Scenario[], context: BenchContext): Promise<readonly Row[]> => {
  const rows: Row[] = []
  for (const scenario of scenarios) {
    context.note(`${scenario.name}: ${scenario.about}`)
    const directory = join(context.directory, scenario.name)
    await mkdir(directory)
    try {
      const measured = await scenario.run({ ...context, directory })
      for (const row of measured) console.log(formatRow(row))
      rows.push(...measured)
    } catch (error) {
      console.log(`${scenario.name.padEnd(34)} BROKEN`)
      console.error(error)
      process.exitCode = 1
    }
    await rm(directory, { recursive: true, force: true })
  }
  return rows
}

process.exitCode = Math.max(await main(), Number(process.exitCode ?? 0))
