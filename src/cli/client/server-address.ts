import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, publicUrlOf } from '../../kernel/config.ts'
import { isPlainUrl } from '../../kernel/plain-url.ts'
import type { Config } from '../../kernel/settings.ts'
import type { CliContext } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'

/** Which server the command line uses, and its token. `url` has no trailing slash. */
export type ServerAddress = { readonly url: string; readonly token: string }

/**
 * `MILLRACE_URL` and `MILLRACE_TOKEN`, as in jobs; otherwise the server of this data directory, which has written its address (`server.json`) and its first
 * token (`admin-token`) there. That token is never sent to another machine.
 */
export const findServer = (context: CliContext): ServerAddress => {
  const { MILLRACE_URL: url, MILLRACE_TOKEN: token } = context.environment
  if (url && token) return { url: checkUrl(url), token }
  const { config } = loadConfig({ flags: {}, environment: context.environment, directory: context.directory })
  const address = checkUrl(url || runningServerUrl(config))
  return { url: address, token: token || localToken(config, address) }
}

const checkUrl = (url: string): string => {
  if (isPlainUrl(url)) return url.replace(/\/+$/, '')
  throw new CliFailure('MILLRACE_URL: the value is not an http or https URL without user and password', {
    exitCode: EXIT.usage,
    hint: 'A token goes into MILLRACE_TOKEN.',
  })
}

/** The running server writes its address here: a port from a flag, or port 0, is not in our configuration. */
const runningServerUrl = (config: Config): string => {
  const path = join(config.dataDir, 'server.json')
  const configured = publicUrlOf(config.host, config.port)
  if (!existsSync(path)) return configured
  try {
    const { url } = JSON.parse(readFileSync(path, 'utf8')) as { url?: unknown }
    return typeof url === 'string' ? url : configured
  } catch {
    // Unreadable, or being written: fall back to the configured address.
    return configured
  }
}

const localToken = (config: Config, url: string): string => {
  if (config.adminToken !== null && isLoopback(url)) return config.adminToken
  const path = join(config.dataDir, 'admin-token')
  if (!isLoopback(url))
    throw new CliFailure('MILLRACE_TOKEN is not set', {
      exitCode: EXIT.usage,
      hint: 'A server on another machine needs a token of its own: millrace tokens create, on that machine.',
    })
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const message = missing ? `there is no token: ${path} does not exist` : (error as Error).message
    throw new CliFailure(message, { exitCode: EXIT.usage, hint: TOKEN_HINT })
  }
}

const TOKEN_HINT =
  'Start the server here first (millrace serve), run this in the directory where it was started, or set MILLRACE_DATA_DIR, or MILLRACE_URL and MILLRACE_TOKEN.'

const isLoopback = (url: string): boolean => {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}
