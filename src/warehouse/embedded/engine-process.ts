import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../../kernel/logger.ts'
import { type PipedChild, startChild } from '../../kernel/start-child.ts'
import type { EngineReport, EngineSettings } from './engine/protocol.ts'

/** One life of an engine: from when it serves to its death. */
export interface EngineProcess {
  readonly pid: number
  readonly version: string
  /** Why it is not confined to its folder; null: it is. */
  readonly unconfined: string | null
  /** Resolves when it has ended, asked or not. */
  readonly ended: Promise<void>
  /** Ends it and what runs in it; resolves when it is gone. */
  stop(): Promise<void>
}

type Options = {
  readonly settings: EngineSettings
  readonly logger: Logger
  /** No statement has run for as long as the settings say. Told again and again. */
  readonly onIdle: () => void
}

const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4']

/** A statement holds a thread of this pool while it runs. */
const THREADS = 128

/** The end of its input ends an engine at once; this is for one that is stuck in the kernel. */
const STOP_MS = 5_000

/** The sources run as they are, the built package as JavaScript. */
const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './engine/confine.ts' : './engine/confine.js', import.meta.url),
)

/** Starts an engine and waits until it serves. Rejects with what it said when it ends before. */
export const startEngineProcess = async ({ settings, logger, onIdle }: Options): Promise<EngineProcess> => {
  // A process group of its own: a Ctrl-C in the terminal is for the server. What the server knows by variables is not the engine's.
  const child = await startChild(process.execPath, [...FLAGS, ENTRY, JSON.stringify(settings)], {
    detached: true,
    env: environment(settings),
    cwd: dirname(settings.dataPath),
  })
  const complaints = collectComplaints(child, logger)
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  // A write to an engine that has just died: its end is told by `close`.
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

/** Callers are told of it: on one line, and not where on this machine its folder is. */
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

/** Keeps the last of what the engine says on its standard error, and logs it. */
const collectComplaints = (child: PipedChild, logger: Logger): (() => string) => {
  let last = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-2000)
    logger.warn({ engine: child.pid, text: text.trim() }, 'a data engine complains')
  })
  return () => last
}
