import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type AddressRules, parseAddressRules } from './address-rules.ts'
import { parseDuration, parseSize } from './quantity.ts'
import {
  type BlobPlace,
  blobUrl,
  clickhouseUrl,
  databaseUrl,
  hours,
  integer,
  oneOf,
  optional,
  publicUrl,
  retention,
  text,
} from './setting-readers.ts'

/**
 * The configuration: one frozen object made in `main` and handed down. Flags win over the environment, the environment
 * over `millrace.config.json`. Nothing else reads `process.env`.
 */
export type Config = {
  readonly host: string
  readonly port: number
  /** Without a trailing slash. */
  readonly publicUrl: string
  readonly dataDir: string
  /** null: embedded SQLite. */
  readonly databaseUrl: string | null
  /** null: in the data directory. */
  readonly blobPlace: BlobPlace | null
  readonly roles: readonly ServerRole[]
  readonly adminToken: string | null
  readonly jobUser: string | null
  readonly sandbox: Sandbox
  readonly addressRules: AddressRules
  /** null: made in the data directory. */
  readonly secretKey: string | null
  readonly retentionJobsMs: number
  readonly retentionLogsMs: number
  readonly retentionDeliveriesMs: number
  /** Sums of analytics. */
  readonly retentionJobsLogMs: number
  readonly resultTtlMs: number
  /** null: no functions. */
  readonly functionsDir: string | null
  /** Function hosts at most: each is a process. */
  readonly functionHosts: number
  readonly maxRunItems: number
  readonly maxResultBytes: number
  readonly queryMemoryBytes: number
  /** null: all. */
  readonly queryThreads: number | null
  /** Of a result; null: any number. */
  readonly queryRows: number | null
  /** null: embedded. */
  readonly clickhouseUrl: string | null
  readonly workerMode: WorkerMode
  readonly maxWorkers: number
  readonly launcher: LauncherChoice
  readonly logMaxBytes: number
  readonly commandMaxProcesses: number
  readonly maxBodyBytes: number
  readonly maxArtifactBytes: number
  readonly maxQueued: number
  readonly shutdownGraceMs: number
  readonly logLevel: string
}

export const SERVER_ROLES = ['api', 'scheduler', 'worker'] as const
export type ServerRole = (typeof SERVER_ROLES)[number]
const WORKER_MODES = ['auto', 'local', 'docker', 'kubernetes'] as const
export type WorkerMode = (typeof WORKER_MODES)[number]
const SANDBOXES = ['none', 'bubblewrap'] as const
export type Sandbox = (typeof SANDBOXES)[number]
const LAUNCHERS = ['auto', 'native', 'portable'] as const
export type LauncherChoice = (typeof LAUNCHERS)[number]

/** Thrown with every fault of the configuration at once. */
export class ConfigError extends Error {}

type Setting<T> = {
  readonly env: string
  readonly flag: string
  readonly default: string
  readonly about: string
  readonly secret?: boolean
  /** Throws an Error whose message says what would be right. */
  readonly parse: (text: string) => T
}

const roles = (value: string): readonly ServerRole[] => {
  const list = value.split(',').map(role => role.trim())
  return list.map(oneOf(SERVER_ROLES))
}

const SETTINGS = {
  host: { env: 'MILLRACE_HOST', flag: 'host', default: '127.0.0.1', about: 'address to listen on', parse: text },
  port: {
    env: 'MILLRACE_PORT',
    flag: 'port',
    default: '7070',
    about: 'port to listen on; 0 takes a free one',
    parse: integer(0, 65535),
  },
  publicUrl: {
    env: 'MILLRACE_PUBLIC_URL',
    flag: 'public-url',
    default: '',
    about: 'how clients and jobs reach this server; from host and port when empty',
    parse: publicUrl,
  },
  dataDir: {
    env: 'MILLRACE_DATA_DIR',
    flag: 'data-dir',
    default: './data',
    about: 'database, blobs, logs, keys; mode 0700',
    parse: (value: string) => resolve(value),
  },
  databaseUrl: {
    env: 'MILLRACE_DATABASE_URL',
    flag: 'database-url',
    default: '',
    about: 'postgres://…; embedded SQLite when empty',
    secret: true,
    parse: databaseUrl,
  },
  blobPlace: {
    env: 'MILLRACE_BLOB_URL',
    flag: 'blob-url',
    default: '',
    about:
      'where blobs lie: file:///directory, or s3://bucket/prefix?region=&endpoint=; in the data directory when empty',
    parse: blobUrl,
  },
  roles: {
    env: 'MILLRACE_ROLES',
    flag: 'roles',
    default: 'api,scheduler,worker',
    about: 'what this process does',
    parse: roles,
  },
  adminToken: {
    env: 'MILLRACE_ADMIN_TOKEN',
    flag: 'admin-token',
    default: '',
    about: 'the admin token; made on first start when empty',
    secret: true,
    parse: optional,
  },
  jobUser: {
    env: 'MILLRACE_JOB_USER',
    flag: 'job-user',
    default: '',
    about: 'user that commands run as, when the server is root',
    parse: optional,
  },
  sandbox: {
    env: 'MILLRACE_SANDBOX',
    flag: 'sandbox',
    default: 'none',
    about: 'none, or bubblewrap to run commands in a sandbox',
    parse: oneOf(SANDBOXES),
  },
  addressRules: {
    env: 'MILLRACE_ALLOW_PRIVATE_ADDRESSES',
    flag: 'allow-private-addresses',
    default: 'false',
    about: 'true, false, or a comma list of hosts and CIDR ranges that jobs of the server itself may reach',
    parse: parseAddressRules,
  },
  secretKey: {
    env: 'MILLRACE_SECRET_KEY',
    flag: 'secret-key',
    default: '',
    about: 'encrypts stored secrets; made in the data directory when empty',
    secret: true,
    parse: optional,
  },
  retentionJobsMs: {
    env: 'MILLRACE_RETENTION_JOBS',
    flag: 'retention-jobs',
    default: '30d',
    about: 'how long ended jobs are kept; 0 keeps them',
    parse: retention,
  },
  retentionLogsMs: {
    env: 'MILLRACE_RETENTION_LOGS',
    flag: 'retention-logs',
    default: '30d',
    about: 'how long logs of ended jobs are kept; 0 keeps them',
    parse: retention,
  },
  retentionDeliveriesMs: {
    env: 'MILLRACE_RETENTION_DELIVERIES',
    flag: 'retention-deliveries',
    default: '7d',
    about: 'how long ended deliveries to sinks are kept; 0 keeps them',
    parse: retention,
  },
  retentionJobsLogMs: {
    env: 'MILLRACE_RETENTION_JOBS_LOG',
    flag: 'retention-jobs-log',
    default: '365d',
    about: 'how long the sums of analytics are kept; 0 keeps them',
    parse: retention,
  },
  resultTtlMs: {
    env: 'JOB_RESULT_TTL_HOURS',
    flag: 'result-ttl-hours',
    default: '24',
    about: 'hours that results are kept from completion',
    parse: hours,
  },
  functionsDir: {
    env: 'MILLRACE_FUNCTIONS_DIR',
    flag: 'functions-dir',
    default: '',
    about: 'folder of the functions that jobs of kind api run; none when empty',
    parse: (value: string) => (value === '' ? null : resolve(value)),
  },
  functionHosts: {
    env: 'MILLRACE_FUNCTION_HOSTS',
    flag: 'function-hosts',
    default: '4',
    about: 'processes that run functions, at most',
    parse: integer(1, 1024),
  },
  maxRunItems: {
    env: 'MILLRACE_MAX_RUN_ITEMS',
    flag: 'max-run-items',
    default: '10000',
    about: 'items of a run, those that it adds itself included',
    parse: integer(1, 1_000_000),
  },
  maxResultBytes: {
    env: 'JOB_MAX_RESULT_BYTES',
    flag: 'max-result-bytes',
    default: '1GiB',
    about: 'result of a data job; a larger one fails',
    parse: parseSize,
  },
  queryMemoryBytes: {
    env: 'MILLRACE_QUERY_MEMORY',
    flag: 'query-memory',
    default: '4GiB',
    about: 'memory of one query',
    parse: parseSize,
  },
  queryThreads: {
    env: 'MILLRACE_QUERY_THREADS',
    flag: 'query-threads',
    default: '',
    about: 'threads of one query; all when empty',
    parse: (value: string) => (value === '' ? null : integer(1, 1024)(value)),
  },
  queryRows: {
    env: 'MILLRACE_QUERY_ROWS',
    flag: 'query-rows',
    default: '',
    about: 'rows of a result at most; any number when empty',
    parse: (value: string) => (value === '' ? null : integer(1, Number.MAX_SAFE_INTEGER)(value)),
  },
  clickhouseUrl: {
    env: 'MILLRACE_CLICKHOUSE_URL',
    flag: 'clickhouse-url',
    default: '',
    about: 'http(s)://user:password@host:8123/prefix; embedded when empty',
    secret: true,
    parse: clickhouseUrl,
  },
  workerMode: {
    env: 'ZWORKER_MODE',
    flag: 'worker-mode',
    default: 'auto',
    about: 'auto, local, docker or kubernetes',
    parse: oneOf(WORKER_MODES),
  },
  maxWorkers: {
    env: 'JOB_QUEUE_MAX_WORKERS',
    flag: 'max-workers',
    default: '4',
    about: 'jobs at once in this process',
    parse: integer(1, 10_000),
  },
  launcher: {
    env: 'MILLRACE_LAUNCHER',
    flag: 'launcher',
    default: 'auto',
    about: 'how commands are started: native (node:ffi), portable (child_process), or auto',
    parse: oneOf(LAUNCHERS),
  },
  logMaxBytes: {
    env: 'MILLRACE_LOG_MAX_BYTES',
    flag: 'log-max-bytes',
    default: '1GiB',
    about: 'log of one job; the rest is drained',
    parse: parseSize,
  },
  commandMaxProcesses: {
    env: 'MILLRACE_COMMAND_MAX_PROCESSES',
    flag: 'command-max-processes',
    default: '4096',
    about: 'processes of a command',
    parse: integer(1, 4_194_304),
  },
  maxBodyBytes: {
    env: 'MILLRACE_MAX_BODY_BYTES',
    flag: 'max-body-bytes',
    default: '16MiB',
    about: 'body of a request',
    parse: parseSize,
  },
  maxArtifactBytes: {
    env: 'MILLRACE_MAX_ARTIFACT_BYTES',
    flag: 'max-artifact-bytes',
    default: '10GiB',
    about: 'one artifact',
    parse: parseSize,
  },
  maxQueued: {
    env: 'MILLRACE_MAX_QUEUED',
    flag: 'max-queued',
    default: '1000000',
    about: 'pending and queued jobs of a workspace',
    parse: integer(1, 1_000_000_000),
  },
  shutdownGraceMs: {
    env: 'MILLRACE_SHUTDOWN_GRACE',
    flag: 'shutdown-grace',
    default: '30s',
    about: 'how long a stopping server waits for running jobs',
    parse: parseDuration,
  },
  logLevel: {
    env: 'MILLRACE_LOG_LEVEL',
    flag: 'log-level',
    default: 'info',
    about: 'trace, debug, info, warn, error, silent',
    parse: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
  },
} as const satisfies { [K in keyof Config]: Setting<Config[K]> }

/** Every setting with its names, default and meaning: for the command line's flags, `millrace config` and the docs. */
export const settings = Object.entries(SETTINGS).map(([name, setting]) => ({
  ...(setting as Setting<unknown>),
  name: name as keyof Config,
}))

export type Origin = 'flag' | 'environment' | 'file' | 'default'
export type LoadedConfig = { readonly config: Config; readonly origins: Readonly<Record<keyof Config, Origin>> }

type Sources = {
  /** By flag name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
}

/** Reads and checks the configuration. Throws `ConfigError` that lists every fault. */
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
      const shown = setting.secret ? 'the value' : JSON.stringify(value)
      faults.push(`${setting.env} (${origin}): ${shown} is not ${(error as Error).message}`)
    }
  }
  if (faults.length > 0)
    throw new ConfigError(`The configuration has faults:\n${faults.map(fault => `  ${fault}`).join('\n')}`)
  return { config: finish(values as Config), origins: origins as Record<keyof Config, Origin> }
}

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
      if (!known.has(key)) faults.push(`${path}: ${key} is not a setting`)
      else if (typeof value === 'object') faults.push(`${path}: ${key} must be text, a number or a boolean`)
      else result[key] = String(value)
    }
  } catch (error) {
    faults.push(`${path}: ${(error as Error).message}`)
  }
  return result
}

const finish = (values: Config): Config =>
  Object.freeze({ ...values, publicUrl: values.publicUrl || publicUrlOf(values.host, values.port) })

/** How a server that listens there is reached from its own machine. A host that listens everywhere is reached at the loopback address. */
export const publicUrlOf = (host: string, port: number): string => {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
