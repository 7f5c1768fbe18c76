import { parentPort, workerData } from 'node:worker_threads'
import { type Database, openForReading } from '../database.ts'
import type { Reader } from '../reader.ts'
import { READS } from '../reads.ts'
import { type Answer, type Call, toFault } from './calls.ts'
import { serveThread, type ThreadWork } from './serve-thread.ts'

type Operations = Readonly<Record<string, (reader: Reader, input: never) => unknown>>

/** The thread for reads, which may be long: they never block a write. Each read sees everything acknowledged before it. */
class ReaderThread implements ThreadWork {
  readonly #path: string
  #db: Database | undefined

  constructor(path: string) {
    this.#path = path
  }

  open(): void {
    this.#db = openForReading(this.#path)
  }

  carryOut(calls: readonly Call[]) {
    return { answers: calls.map(call => answer(this.#db!, call)), effects: null }
  }

  close(): void {
    this.#db?.close()
  }
}

const answer = (db: Database, [id, operation, input, now]: Call): Answer => {
  try {
    return [id, (READS as Operations)[operation]!({ db, now }, input as never), null]
  } catch (error) {
    return [id, null, toFault(error)]
  }
}

serveThread(parentPort!, new ReaderThread((workerData as { path: string }).path))
