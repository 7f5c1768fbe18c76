import { type RunningServer, type ServerOptions, startServer } from '../../src/cli/server.ts'
import type { Submitter } from '../../src/engine/engine.ts'
import { commandDefinition } from '../../src/executors/command/definition.ts'
import type { Executor } from '../../src/executors/executor.ts'
import type { KindDefinition } from '../../src/executors/kind-definition.ts'
import { loadConfig } from '../../src/kernel/config.ts'
import { createLogger } from '../../src/kernel/logger.ts'
import { SCOPES } from '../../src/model/scopes.ts'
import { waitUntil } from '../harness/wait-until.ts'

/** Where a measured server keeps its data and how it differs from the defaults: `settings` are flags by name. */
export type BenchServerOptions = { readonly dataDir: string; readonly settings?: Readonly<Record<string, string>> }

/** The admin token of measured servers. */
export const TOKEN = 'millrace_bench_0123456789abcdefghijklmnopqrstuvwxyz'

/** Who submits in measured servers. */
export const SUBMITTER: Submitter = { workspace: 'default', scopes: SCOPES, parentJobId: null }

/** The whole server, as `millrace serve` makes it, in this process. */
export const startBenchServer = (
  { dataDir, settings }: BenchServerOptions,
  options: ServerOptions = {},
): Promise<RunningServer> => {
  const flags = { port: '0', 'data-dir': dataDir, 'log-level': 'error', 'admin-token': TOKEN, ...settings }
  const { config } = loadConfig({ flags, environment: {}, directory: dataDir })
  return startServer(config, createLogger(config.logLevel), options)
}

/** An executor that does nothing, so that what is measured is everything around it. `started` hears of each job. */
export const createNoop = (started: (jobId: string) => void): Executor => ({
  kind: 'command',
  lane: 'default',
  run: job => {
    started(job.id)
    return Promise.resolve({ type: 'completed' })
  },
})

/** Jobs of the no-op executor are bodies of kind `command`, checked as those are. */
export const NOOP_DEFINITION: KindDefinition = commandDefinition

/** Resolves when every job of the server has ended and its end is stored. */
export const waitForRest = (server: RunningServer, everyMs: number): Promise<void> =>
  waitUntil(async () => (await server.store.queueStatistics()).counts.every(({ count }) => count === 0), {
    what: 'the jobs end',
    withinMs: 180_000,
    everyMs,
  })
