import { readFileSync } from 'node:fs'
import type { Logger } from '../kernel/logger.ts'
import type { App } from './app.ts'
import { listenersOf } from './listeners.ts'

/** What holds a connection and does nothing takes about 10 KiB. */
const MOST = 16_384
const TOLD_MS = 60_000

/**
 * Bounds how many connections there are at once, to half of the files that the process may have open: whoever opens connections, for which nobody
 * needs a token, must not take the descriptors with which jobs are started and logs are written. Those beyond are closed as they come.
 */
export const limitConnections = (app: App, { logger, most = mostConnections(readLimits()) }: Options): void => {
  let told = Number.NEGATIVE_INFINITY
  const tell = (): void => {
    if (performance.now() - told < TOLD_MS) return
    told = performance.now()
    logger.warn({ most }, 'connections are refused: there are as many as this server takes')
  }
  const limit = (): void => {
    const listeners = listenersOf(app)
    for (const server of listeners) {
      server.maxConnections = Math.ceil(most / listeners.length)
      server.off('drop', tell).on('drop', tell)
    }
  }
  limit()
  app.addHook('onListen', async () => limit())
}

type Options = { readonly logger: Logger; readonly most?: number }

/** `limits`: what /proc says of a process; null where there is none. */
export const mostConnections = (limits: string | null): number => {
  const [, files] = /^Max open files +(\d+)/m.exec(limits ?? '') ?? []
  return files === undefined ? MOST : Math.max(1, Math.min(MOST, Math.floor(Number(files) / 2)))
}

const readLimits = (): string | null => {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return null
  }
}
