import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../../kernel/logger.ts'
import { type PipedChild, startChild } from '../../kernel/start-child.ts'
import { createReceiver, createSender, type LauncherSettings, type Order, type Report } from './launch-protocol.ts'

/** One life of the launcher: from its start to its death. */
export interface LauncherProcess {
  readonly pid: number
  readonly send: (order: Order) => void
  /** Closes the pipe: it kills what runs and exits. Killed when it does not. */
  stop(): Promise<void>
}

export type ReadyReport = Extract<Report, { is: 'ready' }>

type Options = {
  readonly settings: LauncherSettings
  readonly logger: Logger
  readonly onReport: (report: Exclude<Report, { is: 'ready' }>) => void
  /** It has ended, asked or not, after it was ready. All it reported has been heard. */
  readonly onEnd: () => void
}

/** Small semi-spaces: it makes little garbage and should stay small. */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--v8-pool-size=0']

/** Longer than the launcher tries to kill what is left. */
const STOP_MS = 15_000

/** The sources run as they are, the built package as JavaScript. */
const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './launcher/main.ts' : './launcher/main.js', import.meta.url),
)

/** Starts a launcher and waits until it takes orders. Rejects with what it said when it ends before. */
export const startLauncherProcess = async (
  options: Options,
): Promise<{ process: LauncherProcess; ready: ReadyReport }> => {
  const { settings, logger, onReport, onEnd } = options
  // Its own process group: a Ctrl-C in the terminal is for the server, which ends its jobs first. No environment: what the
  // server knows by variables is not the launcher's, and not its commands'.
  const child = await startChild(process.execPath, [...FLAGS, ENTRY, JSON.stringify(settings)], {
    detached: true,
    env: compileCache(),
    cwd: '/',
  })
  const complaints = collectComplaints(child, logger)

  return new Promise((resolve, reject) => {
    let ready = false
    const receive = createReceiver<Report>(report => {
      if (report.is !== 'ready') return onReport(report)
      ready = true
      resolve({ process: toLauncherProcess(child), ready: report })
    })
    child.stdout.setEncoding('utf8').on('data', receive)
    // A write to a launcher that has just died: its end is told by `close`.
    child.stdin.on('error', () => {})
    child.on('error', reject)
    child.once('close', (code, signal) => {
      if (ready) return onEnd()
      reject(new Error(`the launcher ended (${signal ?? code}): ${complaints().trim()}`))
    })
  })
}

/** Where the server caches compiled sources the launcher does too: without, it holds the compiler of types in memory (28 MB). */
const compileCache = (): Readonly<Record<string, string>> => {
  const directory = getCompileCacheDir()
  // Node adds its version as a folder of its own.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) }
}

const toLauncherProcess = (child: PipedChild): LauncherProcess => ({
  pid: child.pid!,
  send: createSender(text => {
    if (child.stdin.writable) child.stdin.write(text)
  }),
  stop: () => {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
    const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
    child.stdin.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    return ended.finally(() => clearTimeout(timer))
  },
})

/** Keeps the last of what the launcher says on its standard error, and logs it. */
const collectComplaints = (child: PipedChild, logger: Logger): (() => string) => {
  let last = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-2000)
    logger.error({ launcher: child.pid, text: text.trim() }, 'the launcher complains')
  })
  return () => last
}
