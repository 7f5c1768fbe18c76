import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { submitInBatches } from '../harness/submit-in-batches.ts'
import { type BenchServerOptions, SUBMITTER, startBenchServer, waitForRest } from './bench-server.ts'

/** The whole server with its real executor of functions, and a function that returns at once. */
export const open = async ({ hosts, ...options }: BenchServerOptions & { hosts: number }) => {
  const functionsDir = join(options.dataDir, '..', 'functions')
  mkdirSync(functionsDir, { recursive: true })
  writeFileSync(join(functionsDir, 'at-once.ts'), 'export default async () => ({ done: true })\n')
  const settings = { 'functions-dir': functionsDir, 'function-hosts': String(hosts), ...options.settings }
  const server = await startBenchServer({ ...options, settings })
  const body = { api: 'at-once', parameters: { page: 1 } }

  /** Runs that many jobs and gives jobs per second, from the first submission to the last stored end. */
  const run = async (jobs: number): Promise<number> => {
    const start = performance.now()
    const submit = (size: number) =>
      server.engine.submit({ submitter: SUBMITTER, bodies: Array(size).fill(body), path: 'jobs' })
    await submitInBatches({ jobs, submitters: 2, submit })
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

  return { run, close: () => server.stop() }
}
