import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import { failed } from '../../model/outcome.ts'
import type { Executor, ExecutorProblem } from '../executor.ts'
import { attemptKey, leaseDeadline } from '../launched-process.ts'
import { removeTree } from '../remove-tree.ts'
import { openScratch } from './attempt-files.ts'
import { createFifoPool } from './fifos.ts'
import { resolveJobUser } from './job-user.ts'
import type { ContainmentChoice } from './launch-protocol.ts'
import { createLauncher } from './launcher.ts'
import { runAttempt, type Workshop } from './run-attempt.ts'
import { findSandboxProblems } from './sandbox.ts'

export type CommandExecutorOptions = {
  readonly dataDir: string
  /** The user commands run as if the server is root. null: the server's own user. */
  readonly jobUser: string | null
  readonly sandbox: 'none' | 'bubblewrap'
  readonly launcher: 'auto' | 'native' | 'portable'
  /** How the processes of a command are contained. `auto` picks the best available method. */
  readonly containment?: ContainmentChoice
  /** Limit for the processes of one command. */
  readonly maxProcesses: number
  /** Other directories of the server that commands must not see, for example of blobs outside the data directory. */
  readonly privateDirs?: readonly string[]
  /** Identifies what this installation has started, across restarts. */
  readonly instanceId: string
  readonly logger: Logger
  readonly clock: Clock
}

/** Runs jobs of kind `command` as local processes, through a launcher. */
export const createCommandExecutor = (options: CommandExecutorOptions): Executor => {
  const { clock } = options
  const tickets = new Map<string, number>()
  let workshop: Workshop | null = null
  let fault: string | null = 'The command executor has not been started.'

  return {
    kind: 'command',
    lane: 'default',
    async start() {
      try {
        workshop = await openWorkshop(options, tickets)
        fault = null
      } catch (error) {
        // The server runs without commands: jobs of other kinds still run, and /readyz reports the problem.
        fault = (error as Error).message
        options.logger.error({ err: error }, 'commands cannot be run')
      }
    },
    async stop() {
      await workshop?.launcher.stop()
      workshop?.fifos.remove()
      workshop?.scratch.close()
      workshop = null
    },
    leasesRenewed(leases, sentAt) {
      const renewed = leases.map(({ jobId, attempt }) => tickets.get(attemptKey({ id: jobId, attempt })))
      workshop?.launcher.renew(
        renewed.filter(ticket => ticket !== undefined),
        leaseDeadline(clock.monotonic() - sentAt),
      )
    },
    async health() {
      if (workshop === null) return [{ severity: 'unavailable', message: fault! }]
      return findProblems(workshop)
    },
    async run(job, context) {
      if (workshop === null) return failed('spawn_failed', fault!)
      return runAttempt(workshop, job, context)
    },
  }
}

const openWorkshop = async (options: CommandExecutorOptions, tickets: Map<string, number>): Promise<Workshop> => {
  const { instanceId, sandbox, logger, maxProcesses } = options
  const user = resolveJobUser(options.jobUser)
  const dataDir = realpathSync(options.dataDir)
  const owner = user.isOther ? { uid: user.uid, gid: user.gid } : null
  const fifos = createFifoPool({ directory: join(dataDir, 'launcher', 'fifos'), owner })
  const launcher = createLauncher({
    logger,
    settings: {
      instanceId,
      stateDir: join(dataDir, 'launcher'),
      spawner: options.launcher,
      containment: options.containment ?? 'auto',
      user: owner,
      maxProcesses,
    },
  })
  const sandboxProblems = sandbox === 'bubblewrap' ? await findSandboxProblems(user) : []
  const privateDirs = (options.privateDirs ?? []).map(path => realpathSync(path))
  await launcher.start()
  try {
    // Only now, because leftover processes of an earlier run are dead.
    const scratch = await openScratch({
      dataDir,
      instanceId,
      user,
      removeTree: path => removeTree(path, { launcher, user, logger }),
    })
    const forbidden = [...new Set([dataDir, scratch.path, ...privateDirs])]
    return { launcher, fifos, scratch, user, sandbox, sandboxProblems, instanceId, forbidden, tickets, logger }
  } catch (error) {
    // A launcher that is left would keep the server from exiting.
    await launcher.stop()
    throw error
  }
}

const findProblems = ({ launcher, user, sandbox, sandboxProblems }: Workshop): readonly ExecutorProblem[] => {
  const problems: ExecutorProblem[] = [...sandboxProblems]
  const add = (severity: ExecutorProblem['severity'], message: string): void => {
    problems.push({ severity, message })
  }
  if (launcher.problem !== null) add('unavailable', `Commands cannot be started: ${launcher.problem}`)
  if (sandbox === 'none') add('warning', user.isOther ? NO_WALL_BETWEEN : NO_BOUNDARY)
  if (process.platform !== 'linux') add('warning', NO_PROC)
  else if (launcher.ready?.limited === false) add('warning', NO_LIMIT)
  return problems
}

const NO_BOUNDARY =
  "Commands are not isolated: they run as the server's own user and can read the data directory, the server's memory and " +
  'the secrets of other jobs. Run the server as root with MILLRACE_JOB_USER, or set MILLRACE_SANDBOX=bubblewrap.'

const NO_WALL_BETWEEN =
  'Commands are kept from the server but not from each other: all run as MILLRACE_JOB_USER and can read the secrets of ' +
  'other running jobs. Set MILLRACE_SANDBOX=bubblewrap as well.'

const NO_PROC =
  'This system has no /proc: processes that leave the process group of their command are not found and may outlive it.'

const NO_LIMIT =
  'MILLRACE_COMMAND_MAX_PROCESSES is not enforced: the server can write no pids cgroup. Let systemd delegate one to the ' +
  'service (Delegate=yes, DelegateSubgroup=supervisor), or run the server as root with MILLRACE_JOB_USER.'
