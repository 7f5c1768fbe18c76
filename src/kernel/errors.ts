/**
 * The one table of all user-visible errors.
 *
 * `http` is the status of a request refused with this code. `failure` means a job can end with it, either as the user's failure (follows the job's
 * `retry`) or as the system's (the system retries it). `docs/errors.md` is generated from this table.
 */
type ErrorEntry = {
  readonly http?: number
  readonly failure?: FailureClass
  readonly title: string
  readonly hint: string
}

/** Who is responsible for a failed attempt: the user's work or the system that ran it. */
export type FailureClass = 'user' | 'system'

export const ERRORS = {
  // Requests that are refused
  invalid_json: {
    http: 400,
    title: 'The body is not JSON',
    hint: 'Send a JSON document with Content-Type: application/json.',
  },
  bad_request: {
    http: 400,
    title: 'The request cannot be parsed',
    hint: 'Check the request line, headers and framing.',
  },
  unauthenticated: {
    http: 401,
    title: 'A valid token is needed',
    hint: 'Send Authorization: Bearer <token>. The first token is in <data dir>/admin-token.',
  },
  forbidden: {
    http: 403,
    title: 'The token lacks a scope',
    hint: 'Use a token whose role or scopes include the one named.',
  },
  foreign_origin: {
    http: 403,
    title: 'WebSockets from other origins are not allowed',
    hint: 'Serve the page from this server, or set MILLRACE_PUBLIC_URL to the address that browsers use.',
  },
  not_found: {
    http: 404,
    title: 'It does not exist',
    hint: 'Check the id or name. A token sees only its own workspace.',
  },
  route_not_found: {
    http: 404,
    title: 'This route does not exist',
    hint: 'All routes are listed at /docs and in /openapi.json.',
  },
  method_not_allowed: {
    http: 405,
    title: 'The route does not support this method',
    hint: 'All routes are listed at /docs and in /openapi.json.',
  },
  not_acceptable: {
    http: 406,
    title: 'The response is not available in this format',
    hint: 'Request one of the media types that are named.',
  },
  job_ended: {
    http: 409,
    title: 'The job has ended',
    hint: 'A final status never changes. Rerun the job to repeat the work.',
  },
  job_cancelling: {
    http: 409,
    title: 'The job is being cancelled',
    hint: 'Nothing to do: it will end as cancelled.',
  },
  job_not_ended: {
    http: 409,
    title: 'The job has not ended',
    hint: 'Wait for the job to end (GET /v1/jobs/{id}?wait=30), or cancel it.',
  },
  job_not_running: { http: 409, title: 'The job is not running', hint: 'This call works only while the job runs.' },
  not_finished: {
    http: 409,
    title: 'The result is not available yet',
    hint: 'Wait for the job to complete (GET /v1/jobs/{id}?wait=30).',
  },
  artifact_exists: { http: 409, title: 'The job already has an artifact with that name', hint: 'Choose another name.' },
  workspace_exists: { http: 409, title: 'A workspace with that name already exists', hint: 'Choose another name.' },
  workflow_exists: { http: 409, title: 'A workflow with that name already exists', hint: 'Choose another name.' },
  data_source_exists: {
    http: 409,
    title: 'A data source or pipe with that name already exists',
    hint: 'Choose another name.',
  },
  data_source_in_use: {
    http: 409,
    title: 'Pipes depend on it',
    hint: 'First change or delete the pipes that are named.',
  },
  data_busy: {
    http: 409,
    title: 'A job is writing to this data source',
    hint: 'Wait for the named job to end, or cancel it.',
  },
  workflow_active: {
    http: 409,
    title: 'The workflow is active',
    hint: 'Pause or terminate it first.',
  },
  workflow_has_open_runs: {
    http: 409,
    title: 'The workflow has an open run',
    hint: 'Wait for it to end, or terminate it (POST /v1/runs/{id}/terminate).',
  },
  workflow_paused: {
    http: 409,
    title: 'The workflow is paused',
    hint: 'Resume it first (POST /v1/workflows/{id}/resume).',
  },
  workflow_terminated: {
    http: 409,
    title: 'The workflow is terminated',
    hint: 'Activate it with POST /v1/workflows/{id}/resume.',
  },
  workflow_changed: {
    http: 409,
    title: 'Someone else has changed the workflow',
    hint: 'Read it again and repeat the change.',
  },
  run_ended: {
    http: 409,
    title: 'The run has ended',
    hint: 'An ended run never changes. Trigger its workflow again.',
  },
  run_not_ended: {
    http: 409,
    title: 'The run has not ended',
    hint: 'Wait for it to end, or terminate it.',
  },
  failed_items_purged: {
    http: 409,
    title: 'All failed items of the run have been purged',
    hint: 'Their definitions are gone. Trigger the workflow to run all its items.',
  },
  no_failed_items: { http: 409, title: 'No item of the run failed', hint: 'There is nothing to retry.' },
  job_not_in_run: {
    http: 409,
    title: 'The job is not part of a run',
    hint: 'Only an item of a workflow run can add items.',
  },
  delivery_pending: {
    http: 409,
    title: 'The delivery is still being tried',
    hint: 'It is retried automatically until it is delivered or a day has passed.',
  },
  idempotency_mismatch: {
    http: 409,
    title: 'The Idempotency-Key was used with another body',
    hint: 'Use a new key for a new request.',
  },
  idempotency_in_progress: {
    http: 409,
    title: 'The first request with this Idempotency-Key is still running',
    hint: 'Try again after Retry-After seconds.',
  },
  gone: {
    http: 410,
    title: 'It existed and has been removed',
    hint: 'It was removed by retention. Rerun the job to create it again.',
  },
  too_large: { http: 413, title: 'The request is too large', hint: 'See the limits in docs/api/errors.md.' },
  unsupported_media_type: {
    http: 415,
    title: 'The Content-Type is not accepted here',
    hint: 'Send a type that the route accepts, usually application/json; see /docs.',
  },
  precondition_failed: {
    http: 412,
    title: 'The content is not the one that the request expects',
    hint: 'Compare If-Match with the current ETag, or If-Unmodified-Since with the current Last-Modified.',
  },
  range_not_satisfiable: {
    http: 416,
    title: 'The range is outside the content',
    hint: 'Request bytes below the size given in Content-Range.',
  },
  invalid: {
    http: 422,
    title: 'A value is wrong',
    hint: 'Each entry of errors names a field and what is expected.',
  },
  too_many_items: {
    http: 422,
    title: 'The run would have too many items',
    hint: 'Split the payload over several workflows, or raise MILLRACE_MAX_RUN_ITEMS.',
  },
  schedule_never_fires: {
    http: 422,
    title: 'The schedule can never fire',
    hint: 'Check it with POST /v1/schedules/preview.',
  },
  result_expired: {
    http: 410,
    title: 'The result has been removed',
    hint: 'Results are kept for JOB_RESULT_TTL_HOURS after completion. Rerun the job to create it again.',
  },
  answer_too_large: {
    http: 413,
    title: 'The answer is too large for this call',
    hint: 'Submit the query as a job (POST /v1/jobs), which allows larger results, or add a LIMIT.',
  },
  query_too_slow: {
    http: 422,
    title: 'The query takes too long for this call',
    hint: 'Submit the query as a job (POST /v1/jobs), which may take longer.',
  },
  content_too_slow: {
    http: 422,
    title: 'The content takes too long for this call',
    hint: 'Import it as a job with create: true, which may take longer.',
  },
  invalid_cursor: {
    http: 422,
    title: 'The cursor is invalid',
    hint: 'Pass next_cursor of the previous page unchanged, with the same filters.',
  },
  executor_unavailable: {
    http: 422,
    title: 'This server cannot run jobs of that kind',
    hint: 'See /readyz for what is missing.',
  },
  too_many_queued: {
    http: 429,
    title: 'The workspace has too many queued jobs',
    hint: 'Wait until some have run, or raise MILLRACE_MAX_QUEUED.',
  },
  too_many_streams: {
    http: 429,
    title: 'The workspace has too many open streams',
    hint: 'Close some, or raise MILLRACE_MAX_STREAMS.',
  },
  internal: {
    http: 500,
    title: 'Internal server error',
    hint: 'It has been logged. Please report it with the request id.',
  },
  unavailable: {
    http: 503,
    title: 'The server cannot do that at the moment',
    hint: 'Try again after Retry-After seconds; /readyz shows the cause.',
  },
  content_damaged: {
    http: 500,
    title: 'The stored content has been changed',
    hint: 'Something else changed the file or object. Restore it from a backup, or rerun the job.',
  },
  insufficient_storage: {
    http: 507,
    title: 'The disk of the server is full',
    hint: 'Free space in the data directory.',
  },

  // How attempts fail
  exit_code: {
    failure: 'user',
    title: 'The command ended with a non-zero exit code',
    hint: 'Read the log; exit_code has the number.',
  },
  signal: {
    failure: 'user',
    title: 'The command was ended by a signal',
    hint: 'Read the log; signal has the name. SIGKILL often means out of memory.',
  },
  timeout: {
    failure: 'user',
    title: 'The attempt ran longer than timeout_seconds',
    hint: 'Raise timeout_seconds or make the work shorter.',
  },
  command_not_found: {
    failure: 'user',
    title: 'The program does not exist or cannot be executed',
    hint: 'Check the path, the PATH and the permissions.',
  },
  working_dir_missing: {
    failure: 'user',
    title: 'The working directory does not exist or cannot be entered',
    hint: 'Create it, or leave working_dir out for an empty one.',
  },
  artifact_failed: {
    failure: 'user',
    title: 'An artifact could not be collected',
    hint: 'Check the artifact patterns, and that the files are readable and have valid artifact names.',
  },
  disk_full: {
    failure: 'user',
    title: 'The disk of the server is full',
    hint: 'Free space in the data directory and rerun the job.',
  },
  storage_unavailable: {
    http: 503,
    failure: 'system',
    title: 'The blob store cannot be reached, or refuses the request',
    hint: 'The message says what to fix; blobs in /readyz shows whether the store can be written. The system retries the job unless it sets restartable: false.',
  },
  unexpected_status: {
    failure: 'user',
    title: 'The other server responded with an unexpected status',
    hint: 'The log of the job has the status, the time and the beginning of the body.',
  },
  result_too_large: {
    failure: 'user',
    title: 'The result is larger than allowed',
    hint: 'Return less, or store it as an artifact.',
  },
  result_unreadable: {
    failure: 'user',
    title: 'The return value of the function is not JSON',
    hint: 'Return plain objects, arrays, strings and finite numbers; no cycles, BigInts or functions.',
  },
  function_not_found: {
    failure: 'user',
    title: 'The function does not exist',
    hint: 'The name is the path of its file in MILLRACE_FUNCTIONS_DIR, without the extension.',
  },
  function_unreadable: {
    failure: 'user',
    title: 'The module of the function cannot be loaded',
    hint: 'Read the log. It must have a default export that is a function.',
  },
  function_threw: { failure: 'user', title: 'The function threw an error', hint: 'Read the log.' },
  function_crashed: {
    failure: 'user',
    title: "The function's process ended before the function returned",
    hint: 'It ran out of memory, called process.exit, or crashed. Read the log.',
  },
  sql_error: {
    http: 422,
    failure: 'user',
    title: 'The SQL cannot be executed',
    hint: 'The message says where; try the statement with LIMIT 0.',
  },
  query_memory: {
    http: 422,
    failure: 'user',
    title: 'The query exceeds its memory limit',
    hint: 'Read fewer columns or rows, aggregate earlier, or raise MILLRACE_QUERY_MEMORY (MILLRACE_ENGINE_MEMORY if the message says total). An import needs several times the size of its longest row: a missing quote or line end can make one very long.',
  },
  query_rows: {
    http: 422,
    failure: 'user',
    title: 'The result has more rows than allowed',
    hint: 'Add a LIMIT, or raise MILLRACE_QUERY_ROWS.',
  },
  engine_lost: {
    http: 503,
    failure: 'system',
    title: 'The data engine stopped during the job',
    hint: 'The next data job starts it again. The system retries this job unless it sets restartable: false.',
  },
  engine_unavailable: {
    http: 503,
    failure: 'system',
    title: 'The data engine is not available',
    hint: 'See /readyz for what is missing: the optional package chdb, the server of MILLRACE_CLICKHOUSE_URL, or the tables, which another server has.',
  },
  data_source_not_found: {
    http: 422,
    failure: 'user',
    title: 'The data source does not exist',
    hint: 'Create it (POST /v1/datasources), or import with create: true.',
  },
  pipe_not_found: {
    failure: 'user',
    title: 'The pipe or node does not exist, or does not have the role that the job needs',
    hint: 'GET /v1/pipes/{name} shows its nodes and their roles.',
  },
  schema_mismatch: {
    http: 422,
    failure: 'user',
    title: 'The columns do not match the data source',
    hint: 'GET /v1/datasources/{name} shows its columns; PUT can add columns.',
  },
  publication_failed: {
    failure: 'user',
    title: 'The data engine refuses to publish the rows',
    hint: 'The message says why; nothing has changed. Fix it in the engine, then rerun the job.',
  },
  source_refused: {
    http: 422,
    failure: 'user',
    title: 'The source refuses to provide the content',
    hint: 'Check the URL and the credentials that it needs.',
  },
  source_broken: {
    http: 422,
    failure: 'user',
    title: 'The content is shorter than its source announced, even after retries',
    hint: 'Check the source: its responses are cut off.',
  },
  content_unreadable: {
    http: 422,
    failure: 'user',
    title: 'The content does not match its format',
    hint: 'Check format, delimiter, quote, compression and encoding (UTF-8).',
  },
  content_too_large: {
    http: 413,
    failure: 'user',
    title: 'The content is larger than allowed',
    hint: 'Split it, or raise MILLRACE_MAX_UPLOAD_BYTES. What POST /v1/datasources/infer reads has a limit of its own.',
  },
  too_many_bad_rows: {
    failure: 'user',
    title: 'More rows are bad than max_bad_rows allows',
    hint: 'The message shows some of them. Fix them, or raise max_bad_rows.',
  },
  address_refused: {
    http: 422,
    failure: 'user',
    title: 'The address is not allowed',
    hint: "Only http and https to public addresses are allowed. The server's MILLRACE_ALLOW_PRIVATE_ADDRESSES sets exceptions.",
  },
  redirect_refused: {
    http: 422,
    failure: 'user',
    title: 'The redirect cannot be followed',
    hint: 'Use the final address of the redirects.',
  },
  certificate_refused: {
    http: 422,
    failure: 'user',
    title: 'The certificate of the other server is invalid',
    hint: 'It must not be expired, must match the name, and must be signed by an authority that this server trusts (NODE_EXTRA_CA_CERTS adds one).',
  },
  response_too_large: {
    http: 413,
    failure: 'user',
    title: 'The response is larger than allowed',
    hint: 'The limit applies before and after decompression.',
  },
  response_unreadable: {
    http: 422,
    failure: 'user',
    title: 'The response violates HTTP or its Content-Encoding',
    hint: 'Check what the other server sends, for example with curl -v.',
  },
  connection_failed: {
    http: 502,
    failure: 'system',
    title: 'The other server cannot be reached, or the connection was lost',
    hint: 'Check the name and that the server is up. The system retries unless the job sets restartable: false.',
  },
  worker_lost: {
    failure: 'system',
    title: 'The worker that ran the attempt is gone',
    hint: 'The system retries unless the job sets restartable: false.',
  },
  launcher_lost: {
    failure: 'system',
    title: 'The process that starts commands has crashed',
    hint: 'It has been replaced. The system retries unless the job sets restartable: false.',
  },
  spawn_failed: {
    failure: 'system',
    title: 'The system could not start a process',
    hint: 'Check the limits on processes and memory.',
  },
  executor_crashed: {
    failure: 'system',
    title: 'The executor of the job crashed',
    hint: 'This is a server error; see its log.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS
/** The codes a request can be refused with. */
export type RequestErrorCode = { [C in ErrorCode]: (typeof ERRORS)[C] extends { http: number } ? C : never }[ErrorCode]
/** The codes an attempt can fail with; `status_reason` and `error.code` of a failed job. */
export type FailureReason = {
  [C in ErrorCode]: (typeof ERRORS)[C] extends { failure: FailureClass } ? C : never
}[ErrorCode]

/** One invalid field: `path` is dotted from the root of the body (`jobs.3.name`), `message` describes a valid value. */
export type FieldError = { readonly path: string; readonly message: string }

/** A refusal with a code from the table. Any other thrown error is a bug. */
export class MillraceError extends Error {
  readonly code: RequestErrorCode
  readonly errors: readonly FieldError[]
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined

  constructor(
    code: RequestErrorCode,
    detail?: string,
    options: { errors?: readonly FieldError[]; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(detail ?? ERRORS[code].title, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'MillraceError'
    this.code = code
    this.errors = options.errors ?? []
    this.retryAfter = options.retryAfter
  }

  get status(): number {
    return ERRORS[this.code].http
  }
}

/** Invalid field values: 422. */
export const invalid = (errors: readonly FieldError[]): MillraceError =>
  new MillraceError('invalid', detailOf(errors), { errors })

/** `invalid` for a single field. */
export const invalidField = (path: string, message: string): MillraceError => invalid([{ path, message }])

/** The first field error as a sentence. An empty path means the body itself. */
export const detailOf = ([first]: readonly FieldError[]): string | undefined =>
  first && (first.path ? `${first.path}: ${first.message}` : `The body ${first.message}`)

/** At most this many wrong fields are reported at once. */
export const MOST_ERRORS = 100

/** Throws `invalid` with the first of them; a no-op if there are none. */
export const refuseFields = (errors: readonly FieldError[]): void => {
  if (errors.length > 0) throw invalid(errors.slice(0, MOST_ERRORS))
}

/** True for the system's "no space left" and "quota exceeded", and for the refusal derived from them. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && DISK_FULL.has(error.code)

const DISK_FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'insufficient_storage'])
