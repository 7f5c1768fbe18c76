import { NOBODY } from './scenario.ts'

/** Values that are wrong in most places. */
export const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '🦄'.repeat(300),
  'x'.repeat(100_000),
  [],
  [null],
  [[]],
  {},
  { a: { b: {} } },
  { toString: 1, constructor: 1, length: -1 },
]

/** Every field of every body there is. */
export const BODIES: readonly [path: string, body: Record<string, unknown>][] = [
  [
    '/v1/jobs',
    {
      command: 'true',
      name: 'n',
      labels: { a: 'b' },
      queue: 'q',
      priority: 1,
      scheduled_at: '2026-11-21T00:00:00Z',
      timeout_seconds: 1,
      grace_seconds: 1,
      retry: { maximum_attempts: 1 },
      restartable: true,
      secrets: ['A'],
      working_dir: '/tmp',
      environment: { A: 'b' },
      stdin: 'x',
      artifacts: ['*'],
    },
  ],
  ['/v1/jobs/batch', { jobs: [{ command: 'true' }] }],
  [`/v1/jobs/${NOBODY}/cancel`, { timeout_seconds: 1 }],
  [`/v1/jobs/${NOBODY}/progress`, { percentage: 1, message: 'm' }],
  [
    '/v1/workflows/check',
    {
      name: 'n',
      description: 'd',
      labels: { a: 'b' },
      payload: [{ command: 'true' }],
      environment: { A: 'b' },
      configuration: { retry: { maximum_attempts: 1 }, max_concurrent_requests: 1 },
      schedule: { intervals: [{ every: '1h' }] },
      sinks: [{ type: 'webhook', url: 'https://example.com' }],
      max_consecutive_failures: 1,
    },
  ],
  ['/v1/schedules/preview', { schedule: { intervals: [{ every: '1h' }] }, after: '2026-11-21T00:00:00Z', count: 1 }],
  ['/v1/workflows/waiting/trigger', { scheduled_at: '2020-01-01T00:00:00Z', parameters: { a: 1 } }],
  ['/v1/workflows/nothing/terminate', { timeout_seconds: 1 }],
  [`/v1/runs/${NOBODY}/terminate`, { timeout_seconds: 1 }],
  [`/v1/jobs/${NOBODY}/extend`, { payload: [{ command: 'true' }], timeout: true }],
  ['/v1/notifications/read', { ids: [NOBODY] }],
  ['/v1/tokens', { name: 'n', workspace: 'none', role: 'reader', scopes: ['jobs:read'], expires_at: null }],
  ['/v1/workspaces', { name: 'w' }],
  [
    '/v1/datasources',
    {
      name: 'odd',
      description: 'd',
      schema: [{ name: 'n', type: 'UInt8', json_path: '$.n' }],
      engine: 'MergeTree',
      sorting_key: 'n',
      partition_key: 'n',
      ttl: 'toDate(n)',
    },
  ],
  ['/v1/pipes', { name: 'odd_pipe', description: 'd', nodes: [{ name: 'a', sql: 'SELECT n FROM there' }] }],
]

/** Fields of a column and of a node, with a valid value each. */
export const COLUMN: Record<string, unknown> = { name: 'n', type: 'UInt8', json_path: '$.n' }
export const NODE: Record<string, unknown> = {
  name: 'a',
  sql: 'SELECT n FROM there',
  copy_into: 'there',
  mode: 'append',
  schedule: { crons: ['@daily'] },
  materialize_into: 'there',
}

/** Strings that are put into statements, or nearly. */
export const INJECTIONS: readonly string[] = [
  "'; DROP TABLE there; --",
  'n) ENGINE = Memory --',
  '`n`',
  'n\\',
  '(SELECT 1)',
  '{n:Identifier}',
  "file('/etc/passwd')",
  'n, sleep(3)',
  'a'.repeat(10_000),
  '('.repeat(1000),
  '--',
  '/*',
  '\ud800',
  'UInt8 DEFAULT 1',
  'UInt8, x String',
  "Enum8('a' = 1)",
  'Array(Array(Array(Array(UInt8))))',
  'AggregateFunction(sum, (SELECT 1))',
]

/** The fields of a schedule, with a valid value each. */
export const SCHEDULE: Record<string, unknown> = {
  intervals: [{ every: '1h', offset: '1m', anchor: 'epoch' }],
  calendars: [{ day_of_week: { start: 'MONDAY', end: 'FRIDAY' }, hour: { start: 9, end: 17, step: 2 }, minute: 0 }],
  crons: ['0 9 * * MON-FRI'],
  time_zone: 'Europe/Berlin',
  jitter: '30s',
  exclude: [{ month: 12 }],
  overlap: 'skip',
  catch_up: '1m',
  start_at: '2026-01-01T00:00:00Z',
  end_at: '2030-01-01T00:00:00Z',
}

export const SINKS: readonly Record<string, unknown>[] = [
  {
    type: 'webhook',
    url: 'https://example.com',
    headers: { A: 'b' },
    secret: 'x',
    skip_on_fail: true,
    apis_to_send: ['a'],
  },
  {
    type: 's3',
    bucket: 'b',
    key: '{job_id}',
    prefix: 'p',
    region: 'r',
    endpoint: 'https://example.com',
    force_path_style: true,
    access_key_id: 'k',
    secret_access_key: 's',
  },
]
