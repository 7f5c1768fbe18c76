import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { closeNames } from './close-names.ts'
import { type Config, type Setting, settings } from './settings.ts'

// The configuration is one frozen object made in `main` and passed down. Flags override the environment, which overrides `millrace.config.json`.
// Nothing else reads `process.env`.

/** Thrown once with every configuration error. */
export class ConfigError extends Error {}

export type Origin = 'flag' | 'environment' | 'file' | 'default'
export type LoadedConfig = { readonly config: Config; readonly origins: Readonly<Record<keyof Config, Origin>> }

type Sources = {
  /** By flag name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
}

/** Reads and validates the configuration. Throws `ConfigError` that lists every error. */
export const loadConfig = (sources: Sources): LoadedConfig => {
  const faults: string[] = []
  const file = readConfigFile(sources.directory, faults)
  const values: Record<string, unknown> = {}
  const origins: Record<string, Origin> = {}
  for (const setting of settings) {
    const { origin, text: value } = pick(setting, sources, file)
    origins[setting.name] = origin
    try {
      values[setting.name] = setting.parse(value)
    } catch (error) {
      const shown = mayHoldSecret(setting, value) ? 'the value' : JSON.stringify(value)
      faults.push(`${setting.env} (${origin}): ${shown} is not ${(error as Error).message}`)
    }
  }
  if (faults.length > 0)
    throw new ConfigError(`The configuration has faults:\n${faults.map(fault => `  ${fault}`).join('\n')}`)
  return { config: finish(values as Config), origins: origins as Record<keyof Config, Origin> }
}

/**
 * Environment variables that look like misspelt settings, each with the setting that was probably meant. Only near misses count: orchestrators set
 * variables of their own that start with the service's name (`MILLRACE_SERVICE_HOST`).
 */
export const misspeltSettings = (
  environment: Sources['environment'],
): readonly { readonly name: string; readonly meant: string }[] =>
  Object.keys(environment)
    .filter(name => PREFIXES.test(name) && !settings.some(({ env }) => env === name) && !NO_SETTINGS.has(name))
    .flatMap(name => {
      const meant = likeSetting(name)
      return meant === undefined ? [] : [{ name, meant }]
    })

const PREFIX = 'MILLRACE_'
/** How the names of settings begin. */
const PREFIXES = /^(MILLRACE|JOB|ZWORKER)_/

/** Variables that clients and jobs read; they are not server settings. */
const NO_SETTINGS: ReadonlySet<string> = new Set(
  ['URL', 'TOKEN', 'JOB_ID', 'RUN_ID', 'WORKFLOW_ID', 'ATTEMPT', 'SCHEDULED_AT', 'PROCESS_COOKIE'].map(
    name => PREFIX + name,
  ),
)

/** Matches by name, or by flag written as a variable: `MILLRACE_MAX_WORKERS` for `JOB_QUEUE_MAX_WORKERS`. */
const likeSetting = (name: string): string | undefined => {
  const byFlag = settings.find(({ flag }) => PREFIX + flag.replaceAll('-', '_').toUpperCase() === name)
  return (
    byFlag?.env ??
    closeNames(
      name,
      settings.map(({ env }) => env),
    )[0]
  )
}

/** A URL with a password may have been given to the wrong setting. */
const mayHoldSecret = (setting: Setting<unknown>, value: string): boolean =>
  setting.secret === true || setting.mayHoldSecret === true || /[:@]/.test(value)

const pick = (
  setting: Setting<unknown>,
  sources: Sources,
  file: Record<string, string>,
): { origin: Origin; text: string } => {
  const flag = sources.flags[setting.flag]
  if (flag !== undefined) return { origin: 'flag', text: flag }
  const environment = sources.environment[setting.env]
  if (environment !== undefined) return { origin: 'environment', text: environment }
  const fromFile = file[setting.env]
  if (fromFile !== undefined) return { origin: 'file', text: fromFile }
  return { origin: 'default', text: setting.default }
}

const readConfigFile = (directory: string, faults: string[]): Record<string, string> => {
  const path = resolve(directory, 'millrace.config.json')
  if (!existsSync(path)) return {}
  const known = new Set(settings.map(setting => setting.env))
  const result: Record<string, string> = {}
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof content !== 'object' || content === null || Array.isArray(content)) throw new Error('not a JSON object')
    for (const [key, value] of Object.entries(content)) {
      if (!known.has(key)) faults.push(`${path}: ${key} is not a setting${didYouMean(key)}`)
      else if (typeof value === 'object') faults.push(`${path}: ${key} must be text, a number or a boolean`)
      else result[key] = String(value)
    }
  } catch (error) {
    faults.push(`${path}: ${error instanceof SyntaxError ? notJson(error) : (error as Error).message}`)
  }
  return result
}

const didYouMean = (key: string): string => {
  const meant = likeSetting(key)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}

/** Keeps only the position: the engine's message may quote the file, and with it a password. */
const notJson = ({ message }: SyntaxError): string =>
  ['not JSON', /\(line \d+ column \d+\)$/.exec(message)?.[0]].filter(Boolean).join(' ')

const finish = (values: Config): Config =>
  Object.freeze({ ...values, publicUrl: values.publicUrl || publicUrlOf(values.host, values.port) })

/** The URL of a server from its own machine. A server that listens on all addresses is reached at the loopback address. */
export const publicUrlOf = (host: string, port: number): string => {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
