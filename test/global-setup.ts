import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { TestProject } from 'vitest/node'
import { type PostgresServer, startPostgresServer } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A port of 127.0.0.1 that answers with the URL of the run's PostgreSQL, starting it at the first call. */
    postgresPort: number
  }
}

/**
 * One PostgreSQL for a whole test run, started by the first test that asks (`test-database.ts`), so that runs without
 * such tests do not pay for it.
 */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  let started: Promise<PostgresServer> | undefined
  const answering = createServer(socket => {
    socket.on('error', () => {})
    started ??= startPostgresServer({ durable: false })
    started.then(
      server => socket.end(JSON.stringify({ url: server.url })),
      (error: Error) => socket.end(JSON.stringify({ error: error.message })),
    )
  }).listen(0, '127.0.0.1')
  await once(answering, 'listening')
  project.provide('postgresPort', (answering.address() as AddressInfo).port)
  return async () => {
    answering.close()
    await started?.then(
      server => server.stop(),
      () => {},
    )
  }
}
