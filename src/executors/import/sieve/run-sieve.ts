import { Worker } from 'node:worker_threads'
import type { SieveReport } from './sieve-report.ts'
import type { SieveTask } from './sieve-worker.ts'

/** TypeScript in the sources, JavaScript in the built package. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './sieve-worker.ts' : './sieve-worker.js', import.meta.url)

/** Runs a sieve in its own thread, because it reads every byte. The signal ends it, and its reason is thrown. ENOSPC is thrown as it is. */
export const runSieve = async (task: SieveTask, signal: AbortSignal): Promise<SieveReport> => {
  signal.throwIfAborted()
  const worker = new Worker(ENTRY, { workerData: task, execArgv: ['--disable-warning=ExperimentalWarning'] })
  const end = (): void => void worker.terminate()
  signal.addEventListener('abort', end, { once: true })
  try {
    return await new Promise<SieveReport>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(signal.aborted ? signal.reason : new Error('a sieve ended without an answer')))
    })
  } finally {
    signal.removeEventListener('abort', end)
    await worker.terminate()
  }
}
