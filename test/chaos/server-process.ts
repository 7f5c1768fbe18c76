import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../free-port.ts'
import { findLauncher, killNow } from './processes.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** With the cache of the test run, a server starts sooner. */
const { PATH, NODE_COMPILE_CACHE } = process.env

/** The admin token of every server of a chaos run. */
export const TOKEN = 'millrace_chaos_0123456789abcdefghijklmnopqrstuvwxyz'

/** A real server in a process of its own that can be killed and comes back at the same address. */
export type ServerProcess = {
  readonly url: string
  start(): Promise<void>
  /** `kill -9` of the server, its launcher, or both at once; resolves when the server is gone, if it was killed. */
  kill(target: KillTarget): Promise<void>
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>
}

export type KillTarget = 'server' | 'launcher' | 'both'

/** Takes a free port; `directory` gets the data and the server's own log. */
export const createServerProcess = async (input: {
  directory: string
  environment: Readonly<Record<string, string>>
}): Promise<ServerProcess> => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const log = createWriteStream(join(input.directory, 'server.log'), { flags: 'a' })
  await new Promise(resolve => log.once('open', resolve))
  let child: ChildProcess | null = null

  const start = async (): Promise<void> => {
    child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'serve'], {
      env: { PATH, NODE_COMPILE_CACHE, ...settings(input.directory, port), ...input.environment },
      stdio: ['ignore', log, log],
    })
    await waitForReady(url, child, input.directory)
  }
  const kill = async (target: KillTarget): Promise<void> => {
    const server = child!
    const exited = new Promise(resolve => server.once('exit', resolve))
    const launcher = target === 'server' ? null : findLauncher(server.pid!)
    if (target !== 'launcher') server.kill('SIGKILL')
    if (launcher !== null) killNow(launcher)
    if (target !== 'launcher') await exited
  }
  const stop = async (): Promise<void> => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise(resolve => child?.once('exit', resolve))
    child.kill('SIGTERM')
    await exited
    log.end()
  }
  return { url, start, kill, stop }
}

const settings = (directory: string, port: number) => ({
  MILLRACE_PORT: String(port),
  MILLRACE_DATA_DIR: join(directory, 'data'),
  MILLRACE_ADMIN_TOKEN: TOKEN,
  MILLRACE_SHUTDOWN_GRACE: '1s',
  MILLRACE_LOG_LEVEL: 'debug',
  JOB_QUEUE_MAX_WORKERS: '8',
})

const waitForReady = async (url: string, child: ChildProcess, directory: string): Promise<void> => {
  for (let waited = 0; waited < 60_000; waited += 20) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}; see ${directory}/server.log`)
    if (await isReady(url)) return
    await sleep(20)
  }
  throw new Error('the server did not become ready within a minute')
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    answer => answer.ok,
    () => false,
  )
