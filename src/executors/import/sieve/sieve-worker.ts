import { closeSync, openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { type CsvSieve, sieveCsv } from './sieve-csv.ts'
import { sieveNdjson } from './sieve-ndjson.ts'

/** The thread's task. */
export type SieveTask = {
  readonly input: string
  /** null: only look for invalid lines. */
  readonly output: string | null
  /** null: NDJSON. */
  readonly csv: CsvSieve | null
}

const { input, output, csv } = workerData as SieveTask
const read = openSync(input, 'r')
const write = output === null ? null : openSync(output, 'wx', 0o600)
try {
  parentPort!.postMessage(csv === null ? sieveNdjson(read, write) : sieveCsv(read, write, csv))
} finally {
  closeSync(read)
  if (write !== null) closeSync(write)
}
