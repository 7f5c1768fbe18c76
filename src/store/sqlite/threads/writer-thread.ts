import { parentPort, workerData } from 'node:worker_threads'
import { forgetCalls } from '../data/table-locks.ts'
import { type Database, openForWriting } from '../database.ts'
import { migrate } from '../migrate.ts'
import type { WriterMemory } from '../writer.ts'
import { WRITES } from '../writes.ts'
import type { Call, Reply } from './calls.ts'
import { commitWithReserve } from './commit-with-reserve.ts'
import { commitTogether } from './group-commit.ts'
import { lockDatabase } from './lock.ts'
import { Reserve } from './reserve.ts'
import { serveThread, type ThreadWork } from './serve-thread.ts'

/** The thread with the only writing connection. Waiting for the disk here never blocks the server's event loop. */
class WriterThread implements ThreadWork {
  readonly #path: string
  #opened: Opened | undefined

  constructor(path: string) {
    this.#path = path
  }

  open(): void {
    const lock = lockDatabase(this.#path)
    try {
      const db = openForWriting(this.#path)
      migrate(db)
      forgetCalls(db)
      this.#opened = { db, lock, memory: remember(db), reserve: new Reserve(this.#path) }
    } catch (error) {
      lock.release()
      throw error
    }
  }

  carryOut(calls: readonly Call[]): Reply {
    const { db, memory, reserve } = this.#opened!
    return commitWithReserve(
      { db, reserve, commit: some => commitTogether({ db, memory, operations: WRITES, calls: some }) },
      calls,
    )
  }

  close(): void {
    this.#opened?.db.close()
    this.#opened?.lock.release()
  }
}

type Opened = {
  readonly db: Database
  readonly memory: WriterMemory
  readonly lock: { release(): void }
  readonly reserve: Reserve
}

const remember = (db: Database): WriterMemory => {
  const [lastSeq, lastCreatedAt] = db.get<[number, number]>(
    'SELECT seq, created_at FROM job ORDER BY seq DESC LIMIT 1',
  ) ?? [0, 0]
  const [regression] = db.get<[number]>(
    "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'clock_regression_ms'",
  ) ?? [0]
  return { nextSeq: lastSeq + 1, latestCreatedAt: lastCreatedAt + regression, scopeSets: new Map(), sumMark: null }
}

serveThread(parentPort!, new WriterThread((workerData as { path: string }).path))
