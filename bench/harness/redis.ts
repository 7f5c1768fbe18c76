import { execFile, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { waitUntil } from './wait-until.ts'

/** A Redis of our own that acknowledges a write after fsync, or null where `redis-server` is not installed. */
export const startRedis = async (directory: string): Promise<{ port: number; stop: () => Promise<void> } | null> => {
  if (!(await isInstalled())) return null
  const port = await freePort()
  const flags = [
    '--port',
    port,
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
  ]
  const server = spawn('redis-server', [...flags.map(String), '--appendonly', 'yes', '--appendfsync', 'always'], {
    stdio: 'ignore',
  })
  const exited = new Promise(resolve => server.once('exit', resolve))
  const isUp = () =>
    run('redis-cli', ['-p', String(port), 'ping']).then(
      answer => answer.stdout.trim() === 'PONG',
      () => false,
    )
  await waitUntil(isUp, { what: 'redis-server', withinMs: 10_000, everyMs: 50 })
  return {
    port,
    stop: async () => {
      server.kill('SIGTERM')
      await exited
    },
  }
}

const run = promisify(execFile)

const isInstalled = (): Promise<boolean> =>
  run('redis-server', ['--version']).then(
    () => true,
    () => false,
  )

/** A port that nothing listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
