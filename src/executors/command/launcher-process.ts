import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../../kernel/logger.ts'
import { type PipedChild, startChild } from '../../kernel/start-child.ts'
import { createReceiver, createSender, type LauncherSettings, type Order, type Report } from './launch-protocol.ts'

/** One launcher process, from start to exit. */
export interface LauncherProcess {
  readonly pid: number
  readonly send: (order: Order) => void
  /** Closes the pipe, on which the launcher kills all commands and exits. If it does not exit in time, it is killed. */
  stop(): Promise<void>
}

export type ReadyReport = Extract<Report, { is: 'ready' }>

type Options = {
  readonly settings: LauncherSettings
  readonly logger: Logger
  readonly onReport: (report: Exclude<Report, { is: 'ready' }>) => void
  /** Called when it has exited, requested or not, after it was ready. All its reports have been received by then. */
  readonly onEnd: () => void
}

/** Small semi-spaces, because the launcher makes little garbage and should stay small. */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--v8-pool-size=0']

/** Longer than the launcher's own attempts to kill what is left. */
const STOP_MS = 15_000

/** TypeScript when run from source, JavaScript in the built package. */
const ENTRY = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './launcher/main.ts' : './launcher/main.js', import.meta.url),
)

/** Starts a launcher and waits until it accepts orders. If it exits before that, rejects with its stderr output. */
export const startLauncherProcess = async (
  options: Options,
): Promise<{ process: LauncherProcess; ready: ReadyReport }> => {
  const { settings, logger, onReport, onEnd } = options
  // It gets its own process group, so that Ctrl-C in the terminal only reaches the server, which ends its jobs first. It gets no environment: the server's
  // variables are none of the launcher's or its commands' business.
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
    // Ignore write errors of a launcher that has just died: `close` reports its end.
    child.stdin.on('error', () => {})
    child.on('error', reject)
    child.once('close', (code, signal) => {
      if (ready) return onEnd()
      reject(new Error(`the launcher ended (${signal ?? code}): ${complaints().trim()}`))
    })
  })
}

/** If the server caches compiled sources, so does the launcher. Otherwise it would hold the type stripper in memory (28 MB). */
const compileCache = (): Readonly<Record<string, string>> => {
  const directory = getCompileCacheDir()
  // Node appends a subdirectory for its version.
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

/** Logs the launcher's stderr and keeps the last part of it. */
const collectComplaints = (child: PipedChild, logger: Logger): (() => string) => {
  let last = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-2000)
    logger.error({ launcher: child.pid, text: text.trim() }, 'the launcher complains')
  })
  return () => last
}
