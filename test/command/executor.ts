import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type CommandExecutorOptions, createCommandExecutor } from '../../src/executors/command/command-executor.ts'
import type { Executor } from '../../src/executors/executor.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { type Context, claimedJob, createContext } from './attempt.ts'

export const LAUNCHERS = ['native', 'portable'] as const

type Spec = Readonly<Record<string, unknown>>
type Ran = { readonly outcome: Outcome; readonly context: Context }

/** A real executor for the tests of a `describe`, with a data directory of its own. */
export const useExecutor = (changes: Partial<CommandExecutorOptions> = {}) => {
  const base = join(tmpdir(), `millrace-command-${newId()}`)
  const dataDir = join(base, 'data')
  const options: CommandExecutorOptions = {
    dataDir,
    jobUser: null,
    sandbox: 'none',
    launcher: 'auto',
    maxProcesses: 256,
    instanceId: newId(),
    logger: silentLogger,
    clock: systemClock,
    ...changes,
  }
  const executor: Executor = createCommandExecutor(options)
  beforeAll(async () => {
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
    await executor.start!()
  })
  afterAll(async () => {
    await executor.stop!()
    rmSync(base, { recursive: true, force: true })
  })
  return {
    executor,
    options,
    /** Runs one attempt; `act` is called once it has started. */
    run: async (
      spec: Spec,
      { act, ...context }: Partial<Context> & { act?: (context: Context) => void | Promise<void> } = {},
    ): Promise<Ran> => {
      const made = createContext(context)
      const running = executor.run(claimedJob(spec), made)
      await act?.(made)
      return { outcome: await running, context: made }
    },
  }
}
