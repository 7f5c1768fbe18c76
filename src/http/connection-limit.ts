import { readFileSync } from 'node:fs'
import type { Logger } from '../kernel/logger.ts'
import type { App } from './app.ts'
import { listenersOf } from './listeners.ts'

/** An idle connection takes about 10 KiB. */
const MOST = 16_384
const TOLD_MS = 60_000

/**
 * Limits the number of connections to half of the process's open files. Anyone can open connections, without a token, and must not use up the descriptors
 * needed to start jobs and write logs. Connections beyond the limit are closed at once.
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

/** `limits`: the text of /proc/self/limits; null where it does not exist. */
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
