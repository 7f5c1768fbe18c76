import { createData } from '../../src/data/data.ts'
import { createDataSource, truncateDataSource } from '../../src/data/tables/data-sources.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import type { Statistics } from '../../src/model/outcome.ts'
import { type BenchServerOptions, SUBMITTER, startBenchServer } from './bench-server.ts'
import { watchMemory } from './commands.ts'

export type MeasuredImport = {
  /** From submit to the stored end. */
  readonly seconds: number
  readonly statistics: Statistics
  /** Growth of the resident set of the server's process at its highest, bytes. The engine's is another's. */
  readonly growth: number
}

const WORKSPACE = 'default'

/** The whole server with its real import executor and engine, which imports into a data source of these columns. */
export const open = async (options: BenchServerOptions & { columns: Readonly<Record<string, string>> }) => {
  const server = await startBenchServer({ ...options, settings: { 'allow-private-addresses': '127.0.0.1' } })
  const { store, warehouse } = server
  const kept = Number.POSITIVE_INFINITY
  const data = createData({ store, warehouse, logger: silentLogger, quarantineKeptMs: kept, jobsLogKeptMs: kept })
  const columns = Object.entries(options.columns).map(([name, type]) => ({ name, type, jsonPath: null }))
  await createDataSource(data, WORKSPACE, { name: 'events', columns })
  return {
    /** Fills the empty table with what the address gives, and empties it again: nothing is left to be merged or written back later. */
    run: async (url: string): Promise<MeasuredImport> => {
      const memory = watchMemory()
      const start = performance.now()
      const body = { import: { datasource: 'events', url, mode: 'replace', header: true } }
      const [submitted] = await server.engine.submit({ submitter: SUBMITTER, bodies: [body], path: '' })
      const jobId = submitted!.id
      await server.engine.events.waitForEnd({ workspace: WORKSPACE, jobId, timeoutMs: 300_000 })
      const job = await store.getJob({ workspace: WORKSPACE, jobId })
      if (job?.status !== 'completed') throw new Error(`an import is ${job?.status}: ${job?.errorMessage}`)
      const seconds = (performance.now() - start) / 1000
      const growth = memory.stop()
      await truncateDataSource(data, WORKSPACE, 'events')
      return { seconds, statistics: job.statistics!, growth }
    },
    close: () => server.stop(),
  }
}
