import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'vitest'
import type { CliContext } from '../../src/cli/context.ts'
import { runProgram } from '../../src/cli/program.ts'

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')

export type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

type Options = {
  /** Its working directory; the data directory of its server is `data` below it. */
  readonly cwd: string
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  /** Whether it seems to be run on a terminal, on which `input` is typed. Only in this process. */
  readonly isTerminal?: boolean
  /** A file descriptor; by default a pipe. */
  readonly stdout?: number
}

/** Starts the command line in its own process, with only the given settings. With the cache it starts in half the time. */
export const start = (args: readonly string[], { cwd, environment, stdout }: Options): ChildProcess =>
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    cwd,
    stdio: ['pipe', stdout ?? 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, HOME: cwd, ...environment },
  })

const SCRIPT = '/usr/bin/script'

/** Skips a test where `startOnTerminal` cannot work. */
export const needTerminal = (context: TestContext): void => {
  if (!existsSync(SCRIPT)) context.skip('needs script of util-linux to have a terminal')
}

/** Starts the command line on a terminal of its own: what is written to its stdin is typed there, and its stdout is the screen. */
export const startOnTerminal = (
  args: readonly string[],
  { cwd }: Options,
): ChildProcessByStdio<Writable, Readable, null> => {
  const command = [process.execPath, MAIN, ...args].map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  return spawn(SCRIPT, ['-qec', command, '/dev/null'], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

/** Runs the command line to its end. */
export const millrace = async (args: readonly string[], options: Options): Promise<Finished> => {
  const child = start(args, options)
  child.stdin!.end(options.input ?? '')
  return finished(child)
}

/**
 * Runs a command line in this process: the same program without the time that a process takes to start. Where there are
 * signals, terminals or exits to look at, `millrace` is the one to take.
 */
export const inProcess = async (
  args: readonly string[],
  { cwd, environment, input, isTerminal: isTTY = false }: Options,
): Promise<Finished> => {
  const stream = (): PassThrough => Object.assign(new PassThrough(), { isTTY })
  const [stdin, stdout, stderr] = [stream(), stream(), stream()]
  stdin.end(input ?? '')
  const printed = Promise.all([text(stdout), text(stderr)])
  const context = {
    environment: { HOME: cwd, MILLRACE_DATA_DIR: join(cwd, 'data'), ...environment },
    directory: cwd,
    stdin,
    stdout,
    stderr,
  }
  const code = await runProgram({ argv: args, version: '0.0.0', context: context as unknown as CliContext })
  stdout.end()
  stderr.end()
  const [out, errors] = await printed
  return { code, stdout: out, stderr: errors }
}

/** What a process of the command line printed and how it ended. */
export const finished = async (child: ChildProcess): Promise<Finished> => {
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')])
  return { code, stdout, stderr }
}

/** Resolves with all output so far when it contains `pattern`; rejects when the stream ends without it. */
export const printed = async (stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> => {
  let output = ''
  const { promise, resolve: found, reject } = Promise.withResolvers<string>()
  stream.on('data', chunk => {
    output += chunk
    if (pattern.test(output)) found(output)
  })
  stream.on('end', () => reject(new Error(`ended without ${pattern}:\n${output}`)))
  return promise
}

export type ServeProcess = {
  readonly cwd: string
  readonly child: ChildProcess
  /** Its output when it was ready. */
  readonly welcome: string
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>
}

/** A `millrace serve` on a free port in a new directory, started as a user does. */
export const startServe = async (args: readonly string[] = []): Promise<ServeProcess> => {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  const child = start(['serve', '--port', '0', ...args], { cwd })
  let errors = ''
  child.stderr!.on('data', chunk => {
    errors += chunk
  })
  const exit = once(child, 'exit')
  const welcome = await printed(child.stdout!, /A first job[\s\S]*curl[\s\S]*\n\n/).catch(error => {
    throw new Error(`${error.message}\n${errors}`)
  })
  return {
    cwd,
    child,
    welcome,
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await exit
      rmSync(cwd, { recursive: true, force: true })
      return code
    },
  }
}

/** Answers are JSON of any shape; what a test reads of them, it asserts. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type Json = any

/** Asks the server itself what a command has done; a process for each question would take most of the time. */
export const api = async (cwd: string, method: string, path: string, body?: unknown): Promise<Json> => {
  const { url } = JSON.parse(readFileSync(join(cwd, 'data/server.json'), 'utf8'))
  const token = readFileSync(join(cwd, 'data/admin-token'), 'utf8').trim()
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return response.json()
}
