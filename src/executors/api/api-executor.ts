import { statSync } from 'node:fs'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import { failed } from '../../model/outcome.ts'
import type { Executor, ExecutorProblem } from '../executor.ts'
import { attemptKey, leaseDeadline } from '../launched-process.ts'
import { openFunctionFolder } from './function-folder.ts'
import type { HostLauncher, HostUser } from './host-launcher.ts'
import { createHostPool, type HostPool } from './host-pool.ts'
import { openHostSlots } from './host-slots.ts'
import { runItem } from './run-item.ts'
import { type HostWorkshop, startHost, type WrapHost } from './start-host.ts'

export type ApiExecutorOptions = {
  readonly functionsDir: string
  readonly dataDir: string
  /** Maximum number of function hosts. */
  readonly hosts: number
  /** Identifies what this installation has started, across restarts. */
  readonly instanceId: string
  /** Opens what starts hosts, and the user they run as. Throws if that is impossible. */
  readonly openLauncher: () => HostLauncherParts | Promise<HostLauncherParts>
  /** Heap limit of one host in MiB. The same amount is allowed outside the heap. */
  readonly heapMegabytes?: number
  readonly logger: Logger
  readonly clock: Clock
}

export type HostLauncherParts = {
  readonly launcher: HostLauncher
  readonly user: HostUser
  readonly sandbox: WrapHost | null
}

/** Enough for a shop page, and small enough for four hosts on a small machine. */
const HEAP_MEGABYTES = 512

/** Runs jobs of kind `api`: functions, in processes of their own. */
export const createApiExecutor = (options: ApiExecutorOptions): Executor => {
  const folder = openFunctionFolder(options.functionsDir)
  const working = new Map<string, number>()
  let opened: { readonly workshop: HostWorkshop; readonly pool: HostPool } | null = null
  let fault = 'The executor of functions has not been started.'

  return {
    kind: 'api',
    lane: 'network',
    async start() {
      try {
        const workshop = await openWorkshop(options)
        opened = { workshop, pool: openPool(options, workshop) }
      } catch (error) {
        // The server runs without functions: jobs of other kinds still run, and /readyz reports the problem.
        fault = (error as Error).message
        options.logger.error({ err: error }, 'functions cannot be run')
      }
    },
    async stop() {
      if (opened === null) return
      const { workshop, pool } = opened
      opened = null
      await pool.stop()
      await workshop.launcher.stop()
      await workshop.slots.close()
    },
    leasesRenewed(leases, sentAt) {
      const tickets = leases.map(({ jobId, attempt }) => working.get(attemptKey({ id: jobId, attempt })))
      opened?.workshop.launcher.renew(
        tickets.filter(ticket => ticket !== undefined),
        leaseDeadline(options.clock.monotonic() - sentAt),
      )
    },
    async health() {
      if (opened === null) return [{ severity: 'unavailable', message: fault }]
      return findProblems(opened.workshop)
    },
    async run(job, context) {
      if (opened === null) return failed('spawn_failed', fault)
      return runItem({ pool: opened.pool, folder, uid: opened.workshop.user.uid, working }, job, context)
    },
  }
}

const openWorkshop = async (options: ApiExecutorOptions): Promise<HostWorkshop> => {
  const { dataDir, instanceId, functionsDir, logger } = options
  const parts = await options.openLauncher()
  await parts.launcher.start()
  try {
    const slots = await openHostSlots({ dataDir, instanceId, logger, ...parts })
    return { ...parts, slots, instanceId, functionsDir, heapMegabytes: options.heapMegabytes ?? HEAP_MEGABYTES }
  } catch (error) {
    // A launcher that is left would keep the server from exiting.
    await parts.launcher.stop()
    throw error
  }
}

const openPool = ({ hosts, logger, clock }: ApiExecutorOptions, workshop: HostWorkshop): HostPool =>
  createHostPool({
    start: () => startHost(workshop),
    launcher: workshop.launcher,
    logger,
    most: hosts,
    mostMegabytes: 2 * workshop.heapMegabytes,
    seesProcesses: workshop.sandbox === null && process.platform === 'linux',
    now: () => clock.monotonic(),
  })

const findProblems = ({ functionsDir, launcher, user, sandbox }: HostWorkshop): readonly ExecutorProblem[] => {
  const problems: ExecutorProblem[] = []
  const add = (severity: ExecutorProblem['severity'], message: string): void => {
    problems.push({ severity, message })
  }
  if (!statSync(functionsDir, { throwIfNoEntry: false })?.isDirectory())
    add('unavailable', `MILLRACE_FUNCTIONS_DIR: ${functionsDir} is not a folder.`)
  if (launcher.problem !== null) add('unavailable', `Functions cannot be run: ${launcher.problem}`)
  if (sandbox === null && !user.isOther) add('warning', NO_BOUNDARY)
  return problems
}

const NO_BOUNDARY =
  "Functions are not isolated: they run as the server's own user and can read the data directory. Run the server as root " +
  'with MILLRACE_JOB_USER, or set MILLRACE_SANDBOX=bubblewrap.'
