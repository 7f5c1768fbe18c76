import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../../kernel/logger.ts'
import { type PipedChild, startChild } from '../../kernel/start-child.ts'
import type { EngineReport, EngineSettings } from './engine/protocol.ts'

/** One engine process, from the moment it serves until it exits. */
export interface EngineProcess {
  readonly pid: number
  readonly version: string
  /** Why the process is not confined to its folder; null: it is confined. */
  readonly unconfined: string | null
  /** Resolves when the process has exited, for whatever reason. */
  readonly ended: Promise<void>
  /** Kills the process and everything running in it; resolves when it is gone. */
  stop(): Promise<void>
}

type Options = {
  readonly settings: EngineSettings
  readonly logger: Logger
  /** No statement has run for `settings.idleMs`. Called repeatedly. */
  readonly onIdle: () => void
}

const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4']

/** A running statement occupies one thread of this pool. */
const THREADS = 128

/** An engine exits as soon as its stdin closes; this is for one that is stuck in the kernel. */
const STOP_MS = 5_000

/** `.ts` when running from sources, `.js` in the built package. */
const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './engine/confine.ts' : './engine/confine.js', import.meta.url),
)

/** Starts an engine and waits until it serves. If it exits first, rejects with what it wrote to stderr. */
export const startEngineProcess = async ({ settings, logger, onIdle }: Options): Promise<EngineProcess> => {
  // A separate process group, so that Ctrl-C in the terminal reaches only the server. The server's environment variables are not passed on.
  const child = await startChild(process.execPath, [...FLAGS, ENTRY, JSON.stringify(settings)], {
    detached: true,
    env: environment(settings),
    cwd: dirname(settings.dataPath),
  })
  const complaints = collectComplaints(child, logger)
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  // A write to an engine that has just died fails here; `close` reports its end.
  child.stdin.on('error', () => {})

  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.once('close', (code, signal) => {
      const said = shown(complaints(), dirname(settings.dataPath))
      reject(new Error(`it ended (${signal ?? code}): ${said}`))
    })
    readReports(child.stdout, report => {
      if (report.is === 'idle') return onIdle()
      resolve({
        pid: child.pid!,
        version: report.version,
        unconfined: report.unconfined,
        ended,
        stop: () => stop(child, ended),
      })
    })
  })
}

/** This text is shown to callers: put it on one line, without the path of the engine's folder. */
const shown = (text: string, folder: string): string => text.replaceAll(`${folder}/`, '').replaceAll(/\s+/g, ' ').trim()

const environment = (settings: EngineSettings): Readonly<Record<string, string>> => ({
  UV_THREADPOOL_SIZE: String(THREADS),
  TZ: 'UTC',
  HOME: settings.spoolPath,
  TMPDIR: settings.spoolPath,
})

const stop = async (child: PipedChild, ended: Promise<void>): Promise<void> => {
  child.stdin.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended.finally(() => clearTimeout(timer))
}

const readReports = (stdout: Readable, onReport: (report: EngineReport) => void): void => {
  let rest = ''
  stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line.startsWith('{')) onReport(JSON.parse(line) as EngineReport)
  })
}

/** Logs what the engine writes to stderr, and keeps the last part of it. */
const collectComplaints = (child: PipedChild, logger: Logger): (() => string) => {
  let last = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-2000)
    logger.warn({ engine: child.pid, text: text.trim() }, 'a data engine complains')
  })
  return () => last
}
