import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from '../harness/statistics.ts'
import { type BenchServerOptions, SUBMITTER, startBenchServer, waitForRest } from './bench-server.ts'

const BATCH = 1000

export type LargeLog = {
  readonly seconds: number
  /** Growth of the resident set of the server's process at its highest, bytes. */
  readonly growth: number
  /** 99th percentile of small commits made meanwhile, ms. */
  readonly commitP99: number
  readonly commits: number
  readonly status: string
  readonly lastSeq: number
}

/** The whole server with its real command executor; `ballast` is memory it holds besides, in bytes. */
export const open = async (options: BenchServerOptions & { ballast?: number }) => {
  const ballast = Buffer.alloc(options.ballast ?? 0, 1)
  const server = await startBenchServer(options)
  const submit = (bodies: readonly unknown[]) => server.engine.submit({ submitter: SUBMITTER, bodies, path: 'jobs' })

  /** Runs a command that many times and gives jobs per second, from the first submission to the last stored end. */
  const run = async ({ command, jobs }: { command: readonly string[]; jobs: number }): Promise<number> => {
    const start = performance.now()
    for (let left = jobs; left > 0; left -= BATCH) await submit(Array(Math.min(BATCH, left)).fill({ command }))
    await waitForRest(server, 5)
    const rate = (jobs / (performance.now() - start)) * 1000
    await mustAllHaveCompleted()
    return rate
  }

  const mustAllHaveCompleted = async (): Promise<void> => {
    const filters = { status: ['failed', 'cancelled'] as const }
    const { jobs } = await server.store.listJobs({ workspace: 'default', filters, limit: 1, cursor: null })
    if (jobs[0]) throw new Error(`a job has ${jobs[0].status}: ${jobs[0].errorMessage}`)
  }

  /** Runs one command with a large log and watches memory and small commits meanwhile. */
  const runLarge = async (command: string): Promise<LargeLog> => {
    const probe = probeCommits(server.store)
    const memory = watchMemory()
    const start = performance.now()
    const [submitted] = await submit([{ command }])
    const jobId = submitted!.id
    await server.engine.events.waitForEnd({ workspace: 'default', jobId, timeoutMs: 120_000 })
    const seconds = (performance.now() - start) / 1000
    const commits = await probe.stop()
    const job = await server.store.getJob({ workspace: 'default', jobId })
    return {
      seconds,
      growth: memory.stop(),
      commitP99: percentile(commits, 0.99),
      commits: commits.length,
      status: job!.status,
      lastSeq: await lastSeqOf(jobId),
    }
  }

  const lastSeqOf = async (jobId: string): Promise<number> => {
    let last = 0
    for (;;) {
      const index = await server.store.listLogParts({ workspace: 'default', jobId, fromSeq: last + 1, limit: 500 })
      if (index === null || index.parts.length === 0) return last
      last = index.parts.at(-1)!.lastSeq
    }
  }

  return {
    run,
    runLarge,
    address: () => Promise.resolve(server.url),
    submitOne: async (body: unknown) => (await submit([body]))[0]!.id,
    /** Starts to watch the memory of the process; `memoryGrowth` ends it and gives the growth at its highest in bytes. */
    async watchMemory() {
      watched = watchMemory()
    },
    memoryGrowth: () => Promise.resolve(watched?.stop() ?? 0),
    async close() {
      await server.stop()
      if (ballast.length > 0 && ballast[0] !== 1) throw new Error('the ballast was lost')
    },
  }
}

let watched: { stop(): number } | null = null

export const watchMemory = () => {
  const start = process.memoryUsage.rss()
  let highest = start
  const look = (): void => {
    highest = Math.max(highest, process.memoryUsage.rss())
  }
  const timer = setInterval(look, 20)
  return {
    stop: (): number => {
      clearInterval(timer)
      look()
      return highest - start
    },
  }
}

/** Small commits, one after the other with a pause of 5 ms; `stop` gives the ms each took. */
const probeCommits = (store: { setSetting(input: { name: string; value: string }): Promise<void> }) => {
  const times: number[] = []
  let stopped = false
  const loop = async (): Promise<void> => {
    while (!stopped) {
      const start = performance.now()
      await store.setSetting({ name: 'bench', value: String(times.length) })
      times.push(performance.now() - start)
      await sleep(5)
    }
  }
  const running = loop()
  return {
    stop: async (): Promise<readonly number[]> => {
      stopped = true
      await running
      return times
    },
  }
}
