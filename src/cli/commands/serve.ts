import { createLogger } from '../../kernel/logger.ts'
import type { Config } from '../../kernel/settings.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { onInterrupt } from '../interrupt.ts'
import { addSettingFlags, loadWithFlags, warnOfMisspelt } from '../setting-flags.ts'
import { notes } from '../terminal/note.ts'
import { welcome } from '../welcome.ts'

/** `millrace serve`: runs the server until SIGINT, SIGTERM or SIGHUP; a second SIGINT or SIGTERM stops it at once. */
export const serve: Define = (command, context) => {
  addSettingFlags(command).action(async () => {
    const { config } = loadWithFlags(command, context)
    warnOfMisspelt(context)
    // A server does not need readers of its messages. Other commands end without one (`main.ts`).
    context.stdout.removeAllListeners('error').on('error', () => {})
    const { startServer } = await import('../server.ts')
    const stopped = untilInterrupted(context)
    const logger = createLogger(config.logLevel)
    const server = await startServer(config, logger).catch((error: NodeJS.ErrnoException) => {
      logger.debug(error)
      // A port in use, an unreachable or too new database: user errors, which need no stack trace.
      throw new CliFailure(`cannot start: ${reasonOf(error, config)}`, { exitCode: EXIT.failed })
    })
    context.stdout.write(welcome({ server, config, directory: context.directory, stream: context.stdout }))
    await stopped
    await server.stop()
  })
}

const reasonOf = (error: NodeJS.ErrnoException & { readonly hostname?: string }, config: Config): string => {
  if (error.code === 'EADDRINUSE') return portTaken(config)
  const isHost = error.syscall === 'listen' || (error.syscall === 'getaddrinfo' && error.hostname === config.host)
  return isHost
    ? `it cannot listen where MILLRACE_HOST and MILLRACE_PORT say (${config.host}:${config.port}): ${error.message}`
    : error.message
}

const portTaken = ({ host, port }: Config): string =>
  `something else listens on ${host}:${port}. Take another port with --port or MILLRACE_PORT; 0 is any that is free.`

/** Listens from the first moment, so that a signal during the start is not lost. */
const untilInterrupted = (context: CliContext): Promise<void> => {
  const note = notes(context)
  const { promise, resolve } = Promise.withResolvers<void>()
  let interrupts = 0
  const stop = (): void => {
    note('stopping: no new jobs start, running ones may finish; press Ctrl-C again to stop at once')
    resolve()
  }
  onInterrupt(() => {
    interrupts += 1
    if (interrupts > 1) process.exit(EXIT.interrupted)
    stop()
  })
  // The terminal has closed. That sends it up to twice, and nobody is left to want the server to stop at once.
  process.on('SIGHUP', stop)
  return promise
}
