import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { type Call, type Hello, toFault } from './calls.ts'
import { openForWriting } from './database.ts'
import { commitTogether } from './group-commit.ts'
import { lockDatabase } from './lock.ts'
import { migrate } from './migrate.ts'
import type { WriterMemory } from './writer.ts'
import { WRITES } from './writes.ts'

/** The thread that holds the one connection that writes. Waiting for the disk here never blocks the event loop of the server. */
const port = parentPort!
const { path } = workerData as { path: string }

/** A commit takes no more calls than this: those at its end would wait too long for the first ones. */
const MAX_CALLS = 1000

const open = () => {
  const lock = lockDatabase(path)
  try {
    const db = openForWriting(path)
    migrate(db)
    return { lock, db, memory: remember(db) }
  } catch (error) {
    lock.release()
    throw error
  }
}

const remember = (db: ReturnType<typeof openForWriting>): WriterMemory => {
  const [lastSeq, lastCreatedAt] = db.get<[number, number]>(
    'SELECT seq, created_at FROM job ORDER BY seq DESC LIMIT 1',
  ) ?? [0, 0]
  const [regression] = db.get<[number]>(
    "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'clock_regression_ms'",
  ) ?? [0]
  return { nextSeq: lastSeq + 1, latestCreatedAt: lastCreatedAt + regression, scopeSets: new Map() }
}

const serve = ({ lock, db, memory }: ReturnType<typeof open>): void => {
  const carryOut = (calls: readonly Call[]) => {
    if (calls.length > 0) port.postMessage(commitTogether({ db, memory, operations: WRITES, calls }))
  }
  port.on('message', (first: readonly Call[] | 'close') => {
    const messages = [first]
    let calls = first.length
    // All that arrived while the last commit waited for the disk shares the next one.
    while (calls < MAX_CALLS && messages.at(-1) !== 'close') {
      const next = receiveMessageOnPort(port)
      if (!next) break
      messages.push(next.message)
      calls += next.message.length
    }
    carryOut(messages.flatMap(message => (message === 'close' ? [] : message)))
    if (messages.at(-1) !== 'close') return
    db.close()
    lock.release()
    port.close()
  })
}

try {
  const opened = open()
  serve(opened)
  port.postMessage({ open: true } satisfies Hello)
} catch (error) {
  port.postMessage({ open: false, fault: toFault(error) } satisfies Hello)
}
