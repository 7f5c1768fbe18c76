import { call, openTestEngines } from './engine-call.ts'

/** A process with an engine, for tests that kill it. Prints the engine's process id. */
const { engines } = openTestEngines({ dataDir: process.argv[2]! })
const address = await engines.address('w')
await call(address, 'CREATE TABLE live.t (a UInt8) ENGINE = MergeTree ORDER BY a')
await call(address, 'INSERT INTO live.t VALUES (1)')
process.stdout.write(`${address.pid}\n`)
await call(address, 'SELECT count() FROM numbers(1000000000000)')
