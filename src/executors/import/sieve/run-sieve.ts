import { Worker } from 'node:worker_threads'
import type { SieveReport } from './sieve-report.ts'
import type { SieveTask } from './sieve-worker.ts'

/** The sources run as they are, the built package as JavaScript. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './sieve-worker.ts' : './sieve-worker.js', import.meta.url)

/** Runs a sieve in a thread of its own: it looks at every byte. Ended by the signal, whose reason is thrown; ENOSPC is thrown as it is. */
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
