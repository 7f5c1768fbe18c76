import { type BenchServerOptions, startBenchServer } from './bench-server.ts'

/** A scheduler and nothing else, to be killed. */
export const open = async ({ dataDir, settings }: BenchServerOptions) => {
  const server = await startBenchServer({ dataDir, settings: { ...settings, roles: 'scheduler' } })
  return { close: () => server.stop() }
}
