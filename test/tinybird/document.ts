/** The calls of Tinybird's Jobs API document, as printed. */
export const CALLS = {
  list: `curl \\
-H "Authorization: Bearer <token>" \\
"https://api.tinybird.co/v0/jobs" \\
`,
  cancel: `curl \\
-H "Authorization: Bearer <token>" \\
-X POST "https://api.tinybird.co/v0/jobs/:job_id/cancel"`,
  detail: `curl \\
-H "Authorization: Bearer <token>" \\
"https://api.tinybird.co/v0/jobs/:job_id"`,
} as const

/** Its answers, as printed. */
export const LIST_EXAMPLE = {
  jobs: [
    {
      id: 'c8ae13ef-e739-40b6-8bd5-b1e07c8671c2',
      kind: 'import',
      status: 'done',
      created_at: '2020-12-04 15:08:33.214377',
      updated_at: '2020-12-04 15:08:33.396286',
      job_url: 'https://api.tinybird.co/v0/jobs/c8ae13ef-e739-40b6-8bd5-b1e07c8671c2',
      datasource: { id: 't_31a0ff508c9843b59c32f7f81a156968', name: 'my_datasource_1' },
    },
    {
      id: '1f6a5a3d-cfcb-4244-ba0b-0bfa1d1752fb',
      kind: 'import',
      status: 'error',
      created_at: '2020-12-04 15:08:09.051310',
      updated_at: '2020-12-04 15:08:09.263055',
      job_url: 'https://api.tinybird.co/v0/jobs/1f6a5a3d-cfcb-4244-ba0b-0bfa1d1752fb',
      datasource: { id: 't_49806938714f4b72a225599cdee6d3ab', name: 'my_datasource_2' },
    },
  ],
}

export const POPULATE_EXAMPLE = {
  kind: 'populateview',
  id: '32c3438d-582e-4a6f-9b57-7d7a3bfbeb8c',
  job_id: '32c3438d-582e-4a6f-9b57-7d7a3bfbeb8c',
  status: 'cancelling',
  created_at: '2021-03-17 18:56:23.939380',
  updated_at: '2021-03-17 18:56:44.343245',
  is_cancellable: false,
  datasource: {
    id: 't_02043945875b4070ae975f3812444b76',
    name: 'your_datasource_name',
    cluster: null,
    tags: {},
    created_at: '2020-07-15 10:55:12.427269',
    updated_at: '2020-07-15 10:55:12.427270',
    statistics: null,
    replicated: false,
    version: 0,
    project: null,
    used_by: [],
  },
  query_id: '01HSZ9WJES5QEZZM4TGDD3YFZ2',
  pipe_id: 't_7fa8009023a245b696b4f2f7195b23c3',
  pipe_name: 'top_product_per_day',
  queries: [
    { query_id: '01HSZ9WJES5QEZZM4TGDD3YFZ2', status: 'done' },
    { query_id: '01HSZ9WY6QS6XAMBHZMSNB1G75', status: 'done' },
    { query_id: '01HSZ9X8YVEQ0PXA6T2HZQFFPX', status: 'working' },
    { query_id: '01HSZQ5YX0517X81JBF9G9HB2P', status: 'waiting' },
    { query_id: '01HSZQ6PZJA3P81RC6Q6EF6HMK', status: 'waiting' },
    { query_id: '01HSZQ76D7YYFB16TFT32KXMCY', status: 'waiting' },
  ],
  progress_percentage: 50.0,
}

export const IMPORT_EXAMPLE = {
  kind: 'import',
  id: 'd5b869ed-3a74-45f9-af54-57350aae4cef',
  job_id: 'd5b869ed-3a74-45f9-af54-57350aae4cef',
  status: 'done',
  created_at: '2024-07-22 11:47:58.207606',
  updated_at: '2024-07-22 11:48:52.971327',
  started_at: '2024-07-22 11:47:58.351734',
  is_cancellable: false,
  mode: 'append',
  datasource: {
    id: 't_caf95c54174e48f488ea65d181eb5b75',
    name: 'events',
    cluster: 'default',
    tags: {},
    created_at: '2024-07-22 11:47:51.807384',
    updated_at: '2024-07-22 11:48:52.726243',
    replicated: true,
    version: 0,
    project: null,
    headers: { cached_delimiter: ',' },
    shared_with: [],
    engine: {
      engine: 'MergeTree',
      partition_key: 'toYear(date)',
      sorting_key: 'date, user_id, event, extra_data',
    },
    description: '',
    used_by: [],
    last_commit: { content_sha: '', status: 'changed', path: '' },
    errors_discarded_at: null,
    type: 'csv',
  },
  import_id: 'd5b869ed-3a74-45f9-af54-57350aae4cef',
  url: 'https://storage.googleapis.com/tinybird-assets/datasets/guides/events_50M_1.csv',
  statistics: { bytes: 1_592_720_209, row_count: 50_000_000 },
  quarantine_rows: 0,
  invalid_lines: 0,
}

/** Where an answer lacks something of an example, or has another type or form; [] if it is as printed. */
export const differences = (example: unknown, answer: unknown, path = ''): readonly string[] => {
  if (example === null) return answer === undefined ? [`${path} is missing`] : []
  if (formOf(example) !== formOf(answer)) return [`${path} is ${formOf(answer)}, not ${formOf(example)}`]
  if (typeof example !== 'object') return []
  if (Array.isArray(example))
    return example.length === 0
      ? []
      : (answer as unknown[]).flatMap((item, at) => differences(example[0], item, `${path}.${at}`))
  return Object.entries(example).flatMap(([name, value]) =>
    differences(value, (answer as Record<string, unknown>)[name], path === '' ? name : `${path}.${name}`),
  )
}

const formOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'a list'
  if (value === null) return 'null'
  if (typeof value !== 'string') return typeof value
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/.test(value)) return 'a time'
  if (/^t_[0-9a-f]{32}$/.test(value)) return 'an id of data'
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return 'an id'
  // Of steps: a ULID there, a UUID here.
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(value) ? 'an id' : 'string'
}
