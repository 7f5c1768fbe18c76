import { type BenchServerOptions, SUBMITTER, startBenchServer, TOKEN } from './bench-server.ts'
import { watchMemory } from './commands.ts'

export type MeasuredQuery = {
  readonly jobId: string
  /** From submit to the stored end. */
  readonly seconds: number
  readonly bytes: number
  readonly rows: number
  /** Growth of the resident set of the server's process at its highest, bytes. The engine's is another's. */
  readonly growth: number
}

type Query = { readonly sql: string; readonly format: string }

/** The whole server with its real query executor and engine. */
export const open = async (options: BenchServerOptions) => {
  const server = await startBenchServer(options)

  const submit = async ({ sql, format }: Query): Promise<string> => {
    const [job] = await server.engine.submit({ submitter: SUBMITTER, bodies: [{ query: sql, format }], path: '' })
    return job!.id
  }

  const whenCompleted = async (jobId: string) => {
    await server.engine.events.waitForEnd({ workspace: 'default', jobId, timeoutMs: 300_000 })
    const job = await server.store.getJob({ workspace: 'default', jobId })
    if (job?.status !== 'completed') throw new Error(`a query is ${job?.status}: ${job?.errorMessage}`)
    return job
  }

  return {
    run: async (query: Query): Promise<MeasuredQuery> => {
      const memory = watchMemory()
      const start = performance.now()
      const jobId = await submit(query)
      const { result, statistics } = await whenCompleted(jobId)
      const seconds = (performance.now() - start) / 1000
      return { jobId, seconds, bytes: result!.bytes, rows: Number(statistics!.row_count), growth: memory.stop() }
    },
    /** Statements of the server itself, one after the other. */
    prepare: async (statements: readonly string[]): Promise<void> => {
      for (const sql of statements) await server.warehouse.command({ workspace: 'default', sql })
    },
    /** That many queries one after the other; ms of each. */
    latencies: async ({ count, ...query }: Query & { count: number }): Promise<readonly number[]> => {
      const latencies: number[] = []
      while (latencies.length < count) {
        const start = performance.now()
        await whenCompleted(await submit(query))
        latencies.push(performance.now() - start)
      }
      return latencies
    },
    /** That many queries at once; seconds until the last has ended. */
    together: async ({ count, ...query }: Query & { count: number }): Promise<number> => {
      const start = performance.now()
      const jobs = await Promise.all(Array.from({ length: count }, () => submit(query)))
      await Promise.all(jobs.map(whenCompleted))
      return (performance.now() - start) / 1000
    },
    /** Where a result is downloaded, and with what. */
    download: async (jobId: string) => ({ url: `${server.url}/v1/jobs/${jobId}/result`, token: TOKEN }),
    forget: async (jobId: string) => void (await server.engine.purge({ workspace: 'default', jobId })),
    close: () => server.stop(),
  }
}
