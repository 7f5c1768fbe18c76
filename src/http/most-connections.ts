import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Logger } from '../kernel/logger.ts'

/** What holds a connection and does nothing takes about 10 KiB. */
const MOST = 16_384
const TOLD_MS = 60_000

/**
 * Bounds how many connections there are at once, to half of the files that the process may have open: whoever opens connections, for which nobody
 * needs a token, must not take the descriptors with which jobs are started and logs are written. Those beyond are closed as they come.
 */
export const limitConnections = (server: Server, { logger }: { readonly logger: Logger }): void => {
  let told = Number.NEGATIVE_INFINITY
  server.maxConnections = mostConnections(readLimits())
  server.on('drop', () => {
    if (performance.now() - told < TOLD_MS) return
    told = performance.now()
    logger.warn({ most: server.maxConnections }, 'connections are refused: there are as many as this server takes')
  })
}

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
