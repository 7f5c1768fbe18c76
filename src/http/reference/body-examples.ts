/** Complete example bodies, by route and title. A form generated from the schema alone (`"name": ""`, no `command`) would be refused. */
type BodyExamples = Readonly<Record<string, Readonly<Record<string, object>>>>

const NIGHTLY = {
  name: 'nightly',
  payload: [{ command: './export.sh' }, { http: { url: 'https://example.com/ping' } }],
  configuration: { retry: { maximum_attempts: 3, initial_interval: '10s' } },
  schedule: { crons: ['30 2 * * *'], time_zone: 'Europe/Berlin' },
}

const VISITS = {
  name: 'visits',
  schema: [
    { name: 'day', type: 'Date' },
    { name: 'page', type: 'String' },
    { name: 'views', type: 'Int64' },
  ],
  sorting_key: 'day, page',
}

const PER_DAY = {
  name: 'per_day',
  nodes: [{ name: 'days', sql: 'SELECT day, sum(views) AS views FROM visits GROUP BY day' }],
}

/** Examples of bodies in the reference, by route and title. */
export const BODY_EXAMPLES: BodyExamples = {
  'POST /v1/jobs': {
    command: { command: 'echo hi', timeout_seconds: 60 },
    'command with a program, a folder and files to keep': {
      command: ['python3', 'report.py', '--day', '2026-11-30'],
      working_dir: '/srv/reports',
      environment: { API_TOKEN: 'kept encrypted' },
      artifacts: ['*.csv'],
      retry: { maximum_attempts: 3, initial_interval: '10s' },
    },
    http: { http: { url: 'https://example.com/ping', method: 'POST', headers: { Accept: 'application/json' } } },
    query: { query: 'SELECT page, sum(views) AS views FROM visits GROUP BY page', format: 'parquet' },
    import: { import: { datasource: 'visits', url: 'https://example.com/visits.csv.gz', create: true } },
    'populate a materialized node': { populate: { pipe: 'per_day', node: 'days' } },
    'run a copy node': { copy: { pipe: 'per_day', node: 'days' } },
    'delete rows': { delete: { datasource: 'visits', condition: "day < '2026-01-01'" } },
    'run a function': { api: 'scrape/products', parameters: { page: 1 } },
  },
  'POST /v1/jobs/batch': { 'two commands': { jobs: [{ command: 'echo one' }, { command: 'echo two' }] } },
  'POST /v1/jobs/:job_id/progress': { 'half done': { percentage: 50, message: '500 of 1000 pages' } },
  'POST /v1/jobs/:job_id/cancel': { 'with ten seconds to end': { timeout_seconds: 10 } },
  'POST /v1/jobs/:job_id/extend': { 'one more item': { payload: [{ command: 'echo more' }] } },
  'POST /v1/jobs/cancel': { 'all with a label': { label: ['team:data'] } },
  'POST /v1/workflows': { 'every night': NIGHTLY },
  'POST /v1/workflows/check': { 'every night': NIGHTLY },
  'PUT /v1/workflows/:workflow': { 'every night': NIGHTLY },
  'POST /v1/workflows/:workflow/trigger': { 'with other parameters': { parameters: { day: '2026-11-30' } } },
  'POST /v1/workflows/:workflow/terminate': { 'with ten seconds to end': { timeout_seconds: 10 } },
  'POST /v1/runs/:run_id/terminate': { 'with ten seconds to end': { timeout_seconds: 10 } },
  'POST /v1/schedules/preview': { 'workdays at nine': { schedule: { crons: ['0 9 * * MON-FRI'], time_zone: 'UTC' } } },
  'POST /v1/notifications/read': { all: { all: true } },
  'PUT /v1/notifications/preference': { 'those to look at': { preference: 'alerts' } },
  'POST /v1/sql': { 'with a parameter': { query: 'SELECT {n:Int32} * 2 AS twice', parameters: { n: 21 } } },
  'POST /v1/datasources': { columns: VISITS },
  'PUT /v1/datasources/:datasource': {
    'one more column': { schema: [...VISITS.schema, { name: 'country', type: 'Nullable(String)' }] },
  },
  'POST /v1/datasources/infer': { 'a file by its address': { url: 'https://example.com/visits.csv.gz' } },
  'POST /v1/pipes': { 'one node': PER_DAY },
  'PUT /v1/pipes/:pipe': { 'one node': PER_DAY },
  'POST /v1/tokens': {
    'with a role': { name: 'dashboard', role: 'reader' },
    'with scopes': { name: 'prometheus', scopes: ['system:read'] },
  },
  'POST /v1/workspaces': { workspace: { name: 'analysts' } },
}
