import { resolve } from 'node:path'
import { type AddressRules, parseAddressRules } from './address-rules.ts'
import { parseSize } from './quantity.ts'
import {
  type BlobPlace,
  blobUrl,
  clickhouseUrl,
  databaseUrl,
  directory,
  folders,
  hours,
  integer,
  listenHost,
  oneOf,
  optional,
  publicUrl,
  retention,
  sizeAboveZero,
  trueOrFalse,
  wait,
} from './setting-readers.ts'

/** The configuration the rest of the program uses: made by `loadConfig`, frozen. */
export type Config = {
  readonly host: string
  readonly port: number
  /** Without a trailing slash. */
  readonly publicUrl: string
  readonly dataDir: string
  /** null: embedded SQLite. */
  readonly databaseUrl: string | null
  /** null: the data directory. */
  readonly blobPlace: BlobPlace | null
  readonly roles: readonly ServerRole[]
  readonly adminToken: string | null
  readonly jobUser: string | null
  readonly sandbox: Sandbox
  readonly addressRules: AddressRules
  /** null: a key is generated and kept in the data directory. */
  readonly secretKey: string | null
  readonly retentionJobsMs: number
  readonly retentionLogsMs: number
  readonly retentionDeliveriesMs: number
  /** How long rejected rows are kept; Infinity: forever. */
  readonly retentionQuarantineMs: number
  /** How long the data engine's copy of the job history and the analytics totals are kept. */
  readonly retentionJobsLogMs: number
  readonly resultTtlMs: number
  /** null: no functions. */
  readonly functionsDir: string | null
  /** Maximum number of function hosts; each is a process. */
  readonly functionHosts: number
  readonly maxRunItems: number
  readonly maxResultBytes: number
  readonly queryMemoryBytes: number
  /** null: all. */
  readonly queryThreads: number | null
  /** Maximum per result; null: unlimited. */
  readonly queryRows: number | null
  /** For an embedded engine as a whole; null: nine tenths of the machine's memory. */
  readonly engineMemoryBytes: number | null
  /** Folders that `file:` imports may read; absolute. */
  readonly importDirs: readonly string[]
  /** null: embedded. */
  readonly clickhouseUrl: string | null
  /** From now on this server's own tables are the valid ones, even if another server's were. */
  readonly takeOverTables: boolean
  readonly workerMode: WorkerMode
  readonly maxWorkers: number
  readonly launcher: LauncherChoice
  readonly logMaxBytes: number
  readonly commandMaxProcesses: number
  readonly maxBodyBytes: number
  readonly maxArtifactBytes: number
  /** Content of an import, both as received and decompressed. */
  readonly maxUploadBytes: number
  readonly maxQueued: number
  /** Per workspace. */
  readonly maxStreams: number
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

/** One setting: its names, its default, and how its text is parsed. */
export type Setting<T> = {
  readonly env: string
  readonly flag: string
  readonly default: string
  readonly about: string
  readonly secret?: boolean
  /** The flag without a value means `true`. */
  readonly isSwitch?: boolean
  /** An invalid value may contain credentials, even where none belong: error messages do not repeat it. */
  readonly mayHoldSecret?: boolean
  /** Throws an Error whose message describes a valid value. */
  readonly parse: (text: string) => T
}

const roles = (value: string): readonly ServerRole[] => value.split(',').map(role => oneOf(SERVER_ROLES)(role.trim()))

const SETTINGS = {
  host: { env: 'MILLRACE_HOST', flag: 'host', default: '127.0.0.1', about: 'address to listen on', parse: listenHost },
  port: {
    env: 'MILLRACE_PORT',
    flag: 'port',
    default: '7070',
    about: 'port to listen on; 0 picks a free one',
    parse: integer(0, 65535),
  },
  publicUrl: {
    env: 'MILLRACE_PUBLIC_URL',
    flag: 'public-url',
    default: '',
    about: 'URL at which clients and jobs reach this server; derived from host and port if empty',
    mayHoldSecret: true,
    parse: publicUrl,
  },
  dataDir: {
    env: 'MILLRACE_DATA_DIR',
    flag: 'data-dir',
    default: './data',
    about: 'directory for the database, blobs, logs and keys; mode 0700',
    parse: directory,
  },
  databaseUrl: {
    env: 'MILLRACE_DATABASE_URL',
    flag: 'database-url',
    default: '',
    about: 'postgres://…; embedded SQLite if empty',
    secret: true,
    parse: databaseUrl,
  },
  blobPlace: {
    env: 'MILLRACE_BLOB_URL',
    flag: 'blob-url',
    default: '',
    about: 'blob store: file:///directory, or s3://bucket/prefix?region=&endpoint=; the data directory if empty',
    mayHoldSecret: true,
    parse: blobUrl,
  },
  roles: {
    env: 'MILLRACE_ROLES',
    flag: 'roles',
    default: 'api,scheduler,worker',
    about: 'roles of this process, comma-separated',
    parse: roles,
  },
  adminToken: {
    env: 'MILLRACE_ADMIN_TOKEN',
    flag: 'admin-token',
    default: '',
    about: 'the admin token; created at the first start if empty',
    secret: true,
    parse: optional,
  },
  jobUser: {
    env: 'MILLRACE_JOB_USER',
    flag: 'job-user',
    default: '',
    about: 'user that commands run as, if the server is root',
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
    about:
      'private addresses that the server may contact: true, false, or a comma-separated list of hosts and CIDR ranges',
    parse: parseAddressRules,
  },
  secretKey: {
    env: 'MILLRACE_SECRET_KEY',
    flag: 'secret-key',
    default: '',
    about: 'key that encrypts stored secrets; created in the data directory if empty',
    secret: true,
    parse: optional,
  },
  retentionJobsMs: {
    env: 'MILLRACE_RETENTION_JOBS',
    flag: 'retention-jobs',
    default: '30d',
    about: 'how long ended jobs are kept; 0: forever',
    parse: retention,
  },
  retentionLogsMs: {
    env: 'MILLRACE_RETENTION_LOGS',
    flag: 'retention-logs',
    default: '30d',
    about: 'how long logs of ended jobs are kept; 0: forever',
    parse: retention,
  },
  retentionDeliveriesMs: {
    env: 'MILLRACE_RETENTION_DELIVERIES',
    flag: 'retention-deliveries',
    default: '7d',
    about: 'how long ended deliveries to sinks are kept; 0: forever',
    parse: retention,
  },
  retentionQuarantineMs: {
    env: 'MILLRACE_RETENTION_QUARANTINE',
    flag: 'retention-quarantine',
    default: '30d',
    about: 'how long quarantined rows are kept; 0: forever',
    parse: retention,
  },
  retentionJobsLogMs: {
    env: 'MILLRACE_RETENTION_JOBS_LOG',
    flag: 'retention-jobs-log',
    default: '365d',
    about: 'how long the history of jobs (system.jobs_log) and the totals of analytics are kept; 0: forever',
    parse: retention,
  },
  resultTtlMs: {
    env: 'JOB_RESULT_TTL_HOURS',
    flag: 'result-ttl-hours',
    default: '24',
    about: 'hours that results are kept after completion',
    parse: hours,
  },
  functionsDir: {
    env: 'MILLRACE_FUNCTIONS_DIR',
    flag: 'functions-dir',
    default: '',
    about: 'folder of the functions for jobs of kind api; none if empty',
    parse: (value: string) => (value === '' ? null : resolve(value)),
  },
  functionHosts: {
    env: 'MILLRACE_FUNCTION_HOSTS',
    flag: 'function-hosts',
    default: '4',
    about: 'maximum number of processes that run functions',
    parse: integer(1, 1024),
  },
  maxRunItems: {
    env: 'MILLRACE_MAX_RUN_ITEMS',
    flag: 'max-run-items',
    default: '10000',
    about: 'maximum number of items in a run, including added ones',
    parse: integer(1, 1_000_000),
  },
  maxResultBytes: {
    env: 'JOB_MAX_RESULT_BYTES',
    flag: 'max-result-bytes',
    default: '1GiB',
    about: "maximum size of a data job's result; the job fails beyond it",
    parse: sizeAboveZero,
  },
  queryMemoryBytes: {
    env: 'MILLRACE_QUERY_MEMORY',
    flag: 'query-memory',
    default: '4GiB',
    about: 'memory limit of one query',
    parse: sizeAboveZero,
  },
  queryThreads: {
    env: 'MILLRACE_QUERY_THREADS',
    flag: 'query-threads',
    default: '',
    about: 'thread limit of one query; all if empty',
    parse: (value: string) => (value === '' ? null : integer(1, 1024)(value)),
  },
  queryRows: {
    env: 'MILLRACE_QUERY_ROWS',
    flag: 'query-rows',
    default: '',
    about: 'maximum number of rows in a result; any number if empty',
    parse: (value: string) => (value === '' ? null : integer(1, Number.MAX_SAFE_INTEGER)(value)),
  },
  engineMemoryBytes: {
    env: 'MILLRACE_ENGINE_MEMORY',
    flag: 'engine-memory',
    default: '',
    about: "memory limit of an embedded data engine; nine tenths of the machine's memory if empty",
    parse: (value: string) => (value === '' ? null : sizeAboveZero(value)),
  },
  importDirs: {
    env: 'MILLRACE_IMPORT_DIRS',
    flag: 'import-dirs',
    default: '',
    about: 'folders that file:// imports may read, comma-separated; none if empty',
    parse: folders,
  },
  clickhouseUrl: {
    env: 'MILLRACE_CLICKHOUSE_URL',
    flag: 'clickhouse-url',
    default: '',
    about: 'ClickHouse server: http(s)://user:password@host:8123/prefix; embedded engine if empty',
    secret: true,
    parse: clickhouseUrl,
  },
  takeOverTables: {
    env: 'MILLRACE_TAKE_OVER_TABLES',
    flag: 'take-over-tables',
    isSwitch: true,
    default: 'false',
    about: "true: from now on use the tables of this server's embedded engine instead of another server's",
    parse: trueOrFalse,
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
    about: 'maximum number of jobs at once in this process',
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
    about: "maximum size of one job's log; further output is dropped",
    parse: parseSize,
  },
  commandMaxProcesses: {
    env: 'MILLRACE_COMMAND_MAX_PROCESSES',
    flag: 'command-max-processes',
    default: '4096',
    about: 'maximum number of processes of a command',
    parse: integer(1, 4_194_304),
  },
  maxBodyBytes: {
    env: 'MILLRACE_MAX_BODY_BYTES',
    flag: 'max-body-bytes',
    default: '16MiB',
    about: 'maximum size of a request body',
    parse: sizeAboveZero,
  },
  maxArtifactBytes: {
    env: 'MILLRACE_MAX_ARTIFACT_BYTES',
    flag: 'max-artifact-bytes',
    default: '10GiB',
    about: 'maximum size of one artifact',
    parse: sizeAboveZero,
  },
  maxUploadBytes: {
    env: 'MILLRACE_MAX_UPLOAD_BYTES',
    flag: 'max-upload-bytes',
    default: '32GiB',
    about: "maximum size of one import's content, before and after decompression",
    parse: sizeAboveZero,
  },
  maxQueued: {
    env: 'MILLRACE_MAX_QUEUED',
    flag: 'max-queued',
    default: '1000000',
    about: 'maximum number of pending and queued jobs in a workspace',
    parse: integer(1, 1_000_000_000),
  },
  maxStreams: {
    env: 'MILLRACE_MAX_STREAMS',
    flag: 'max-streams',
    default: '500',
    about: 'maximum number of open WebSockets and event streams of a workspace on this server',
    parse: integer(1, 1_000_000),
  },
  shutdownGraceMs: {
    env: 'MILLRACE_SHUTDOWN_GRACE',
    flag: 'shutdown-grace',
    default: '30s',
    about: 'how long a server waits for running jobs at shutdown',
    parse: wait,
  },
  logLevel: {
    env: 'MILLRACE_LOG_LEVEL',
    flag: 'log-level',
    default: 'info',
    about: 'trace, debug, info, warn, error, silent',
    parse: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
  },
} as const satisfies { [K in keyof Config]: Setting<Config[K]> }

/** Every setting with its names, default and description: for command-line flags, `millrace config` and the docs. */
export const settings = Object.entries(SETTINGS).map(([name, setting]) => ({
  ...(setting as Setting<unknown>),
  name: name as keyof Config,
}))
