import { rmSync } from 'node:fs'
import { lockFile } from '../../../kernel/lock-file.ts'
import { loadChdb } from './chdb.ts'
import { createCounters } from './counters.ts'
import { dieOfFaults } from './die-of-faults.ts'
import { createFifos } from './fifos.ts'
import type { EngineReport, EngineSettings } from './protocol.ts'
import { createRunning } from './running.ts'
import { createEngineServer } from './serve.ts'
import { createSessions } from './sessions.ts'

/** The engine process: chDB behind ClickHouse's HTTP interface on a unix socket. It exits when its stdin closes, so it never outlives the server. */

/** A previous engine of this directory may still be exiting: its server is gone, or has given up on it. */
const LOCK_WAIT_MS = 30_000

const settings = JSON.parse(process.argv[2]!) as EngineSettings

// No cleanup: chDB's files are consistent at all times, and a clean exit would wait for running statements.
const end = (): never => process.kill(process.pid, 'SIGKILL') as never
process.stdin.on('end', end).on('close', end).resume()
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})

/** Before the engine serves, its stderr is shown to the operator and to callers. */
const fail = (why: string): never => {
  process.stderr.write(`${why}\n`)
  process.exit(1)
}

const lock = lockFile(settings.lockPath, { waitMs: LOCK_WAIT_MS })
if (lock === null) fail(`another engine process holds ${settings.lockPath}`)

const report = (message: EngineReport): void => void process.stdout.write(`${JSON.stringify(message)}\n`)

const sessions = createSessions({ chdb: loadChdb(), path: settings.dataPath, memoryBytes: settings.memoryBytes })
// chDB has already written the reason to stderr.
const version = await sessions.start().catch((error: Error) => fail(error.message))
dieOfFaults()
const running = createRunning({
  sessions,
  killGraceMs: settings.killGraceMs,
  idleMs: settings.idleMs,
  onIdle: () => report({ is: 'idle' }),
  onStuck: queryId => {
    process.stderr.write(`the statement ${queryId} does not end: the engine ends\n`)
    end()
  },
})
const fifos = createFifos(settings.spoolPath)
let files = 0
const server = createEngineServer({
  sessions,
  fifos,
  running,
  counters: createCounters(sessions, running),
  spoolPath: settings.spoolPath,
  nextFile: () => String(files++),
  version,
})
rmSync(settings.socketPath, { force: true })
server.listen(settings.socketPath, () => {
  report({ is: 'ready', version, unconfined: settings.unconfined })
  sessions.refill()
})
