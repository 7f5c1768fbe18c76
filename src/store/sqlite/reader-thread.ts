import { parentPort, workerData } from 'node:worker_threads'
import { type Answer, type Call, type Hello, type Reply, toFault } from './calls.ts'
import { type Database, openForReading } from './database.ts'
import type { Reader } from './reader.ts'
import { READS } from './reads.ts'

/** The thread for reads, which may be long: they never hold up a write. Each sees everything that was acknowledged before. */
const port = parentPort!

type Operations = Readonly<Record<string, (reader: Reader, input: never) => unknown>>

const serve = (db: Database): void => {
  port.on('message', (message: readonly Call[] | 'close') => {
    if (message === 'close') {
      db.close()
      port.close()
      return
    }
    port.postMessage({ answers: message.map(call => answer(db, call)), effects: null } satisfies Reply)
  })
}

const answer = (db: Database, [id, operation, input, now]: Call): Answer => {
  try {
    return [id, (READS as Operations)[operation]!({ db, now }, input as never), null]
  } catch (error) {
    return [id, null, toFault(error)]
  }
}

try {
  serve(openForReading((workerData as { path: string }).path))
  port.postMessage({ open: true } satisfies Hello)
} catch (error) {
  port.postMessage({ open: false, fault: toFault(error) } satisfies Hello)
}
