import { chmod, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { countLive, countSubmission, getAttempts, getJob, getLog } from './api.ts'
import { checkJob, type Evidence } from './check.ts'
import { STRAY_PROGRAM } from './job-sorts.ts'
import { type Acknowledged, createLedger, type Ledger } from './ledger.ts'
import { startLoad } from './load.ts'
import { findStrays, killNow } from './processes.ts'
import { createRandom, type Random } from './random.ts'
import { createServerProcess, type KillTarget, type ServerProcess } from './server-process.ts'

export type ChaosInput = {
  readonly kills: number
  readonly seed: number
  /** How many servers share the store; more than one requires `environment.MILLRACE_DATABASE_URL`. */
  readonly servers: number
  readonly environment: Readonly<Record<string, string>>
  readonly note: (text: string) => void
}

export type ChaosReport = {
  readonly jobs: number
  /** Jobs that lost at least one attempt: kills that hit nothing prove nothing. */
  readonly interrupted: number
  readonly kills: Readonly<Record<KillTarget, number>>
  /** Every promise that was broken, in words. */
  readonly faults: readonly string[]
  /** Where the servers' logs and data are; kept when there are faults. */
  readonly directory: string
}

/**
 * How long after the last kill, and after each job that ends, the next one must have ended: a lease, the sweep, the waits of
 * system failures, and the work. What is left in the queue of a slow machine takes longer in all, and is not stuck.
 */
const REST_WITHIN_MS = 90_000

/** Runs servers under load, kills them and their launchers at random moments, and checks every promise they made. */
export const runChaos = async (input: ChaosInput): Promise<ChaosReport> => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-chaos-'))
  const traces = await prepareTraces(directory)
  const random = createRandom(input.seed)
  const servers = await startServers(directory, input)
  const ledger = createLedger()
  const load = startLoad({ urls: servers.map(({ url }) => url), directory: traces, ledger, random: random.fork() })
  try {
    const kills = await killRepeatedly(servers, random, input)
    await load.stop()
    const { faults, interrupted } = await settle(servers, ledger, traces, input.note)
    if (faults.length === 0) await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    return { jobs: ledger.jobs.size, interrupted, kills, faults, directory }
  } finally {
    await Promise.all(servers.map(server => server.stop()))
    for (const { pid } of findStrays(traces)) killNow(pid)
  }
}

/** The folder the jobs write their evidence to, and the program that strays run under a name of their own. */
const prepareTraces = async (directory: string): Promise<string> => {
  const traces = join(directory, 'traces')
  await mkdir(traces)
  await copyFile('/bin/sleep', join(traces, STRAY_PROGRAM))
  await chmod(join(traces, STRAY_PROGRAM), 0o755)
  return traces
}

const startServers = async (directory: string, input: ChaosInput): Promise<readonly ServerProcess[]> => {
  const servers: ServerProcess[] = []
  const environment = { MILLRACE_BLOB_URL: `file://${directory}/blobs`, ...input.environment }
  for (let number = 1; number <= input.servers; number++) {
    const own = join(directory, `server-${number}`)
    await mkdir(own)
    const server = await createServerProcess({ directory: own, environment })
    await server.start()
    servers.push(server)
  }
  return servers
}

const killRepeatedly = async (servers: readonly ServerProcess[], random: Random, { kills, note }: ChaosInput) => {
  const counts: Record<KillTarget, number> = { server: 0, launcher: 0, both: 0 }
  for (let kill = 1; kill <= kills; kill++) {
    await sleep(random.between(100, 1200))
    const target = random.pick(['server', 'launcher', 'both'] as const)
    const server = random.pick(servers)
    counts[target]++
    note(`kill ${kill} of ${kills}: ${target}${servers.length > 1 ? ` of ${servers.indexOf(server) + 1}` : ''}`)
    await server.kill(target)
    if (target !== 'launcher') await server.start()
  }
  return counts
}

/** Waits until nothing moves, then checks everything. */
const settle = async (
  servers: readonly ServerProcess[],
  ledger: Ledger,
  traces: string,
  note: (text: string) => void,
): Promise<Pick<ChaosReport, 'faults' | 'interrupted'>> => {
  const { url } = servers[0]!
  let end = performance.now() + REST_WITHIN_MS
  let fewest = Number.POSITIVE_INFINITY
  while (fewest > 0 && performance.now() < end) {
    const live = await countLive(url)
    if (live < fewest) end = performance.now() + REST_WITHIN_MS
    fewest = Math.min(fewest, live)
    await sleep(100)
  }
  note(`checking ${ledger.jobs.size} jobs of ${ledger.submissions.length} submissions`)
  const strays = await checkStrays(traces)
  const jobs = await checkJobs(url, ledger, traces)
  const faults = [...strays, ...jobs.faults, ...(await checkSubmissions(url, ledger))]
  return { faults, interrupted: jobs.interrupted }
}

const checkStrays = async (traces: string): Promise<readonly string[]> => {
  for (let waited = 0; waited < 3000 && findStrays(traces).length > 0; waited += 100) await sleep(100)
  return findStrays(traces).map(({ pid, commandLine }) => `process ${pid} has outlived its job: ${commandLine}`)
}

const checkJobs = async (
  url: string,
  ledger: Ledger,
  traces: string,
): Promise<Pick<ChaosReport, 'faults' | 'interrupted'>> => {
  const faults: string[] = []
  let interrupted = 0
  for (const acknowledged of ledger.jobs.values()) {
    const evidence = await gather(url, acknowledged, traces)
    faults.push(...checkJob(evidence))
    if ((evidence.job?.system_attempts ?? 0) > 0) interrupted++
  }
  return { faults, interrupted }
}

const gather = async (url: string, acknowledged: Acknowledged, traces: string): Promise<Evidence> => {
  const { jobId } = acknowledged
  const job = await getJob(url, jobId)
  if (job === null) return { acknowledged, job, attempts: [], log: [], trace: [] }
  const trace = await readFile(join(traces, `${jobId}.trace`), 'utf8').catch(() => '')
  const [attempts, log] = await Promise.all([getAttempts(url, jobId), getLog(url, jobId)])
  return { acknowledged, job, attempts, log, trace: trace.split('\n').filter(Boolean) }
}

/** A submission is stored once and whole, or, if it was never answered, perhaps not at all. */
const checkSubmissions = async (url: string, ledger: Ledger): Promise<readonly string[]> => {
  const faults: string[] = []
  for (const { label, size, outcome } of ledger.submissions) {
    const count = await countSubmission(url, label)
    if (count === size || (count === 0 && outcome === 'unknown')) continue
    faults.push(`submission ${label} of ${size} jobs (${outcome}) left ${count}`)
  }
  return faults
}
