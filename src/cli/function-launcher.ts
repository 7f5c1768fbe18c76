import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { HostLauncherParts } from '../executors/api/api-executor.ts'
import { resolveJobUser } from '../executors/command/job-user.ts'
import { createLauncher } from '../executors/command/launcher.ts'
import { findSandboxProblem, sandboxed } from '../executors/command/sandbox.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'

type Options = {
  readonly config: Pick<Config, 'dataDir' | 'blobPlace' | 'jobUser' | 'sandbox' | 'launcher' | 'commandMaxProcesses'>
  readonly instanceId: string
  readonly logger: Logger
}

/**
 * Function hosts are started like commands, but by a launcher of their own: at start, a launcher kills processes with its mark, which must not hit commands.
 * Throws if hosts cannot run as configured.
 */
export const openFunctionLauncher = async ({ config, instanceId, logger }: Options): Promise<HostLauncherParts> => {
  const user = resolveJobUser(config.jobUser)
  const dataDir = realpathSync(config.dataDir)
  const stateDir = join(dataDir, 'function-launcher')
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const launcher = createLauncher({
    logger,
    settings: {
      instanceId,
      stateDir,
      spawner: config.launcher,
      containment: 'auto',
      user: user.isOther ? { uid: user.uid, gid: user.gid } : null,
      maxProcesses: config.commandMaxProcesses,
    },
  })
  if (config.sandbox === 'none') return { launcher, user, sandbox: null }
  const problem = await findSandboxProblem(user)
  if (problem !== null) throw new Error(`MILLRACE_SANDBOX=bubblewrap: ${problem}.`)
  const places = [dataDir, ...(config.blobPlace?.type === 'directory' ? [realpathSync(config.blobPlace.path)] : [])]
  return {
    launcher,
    user,
    sandbox: ({ argv, workingDir, shown, hidden }) =>
      sandboxed({
        argv,
        workingDir,
        writable: [],
        shown,
        hidden: [...places, ...hidden],
        asRoot: user.uid === 0,
        asOther: user.isOther,
      }),
  }
}
