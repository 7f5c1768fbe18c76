import { WarehouseError, type WarehouseFault } from './warehouse.ts'

/** ClickHouse exception codes that do not mean that the statement is at fault (`ErrorCodes.cpp`). */
const FAULTS: ReadonlyMap<number, WarehouseFault> = new Map([
  [241, 'query_memory'], // MEMORY_LIMIT_EXCEEDED
  [173, 'query_memory'], // CANNOT_ALLOCATE_MEMORY
  [159, 'query_timeout'], // TIMEOUT_EXCEEDED
  [160, 'query_timeout'], // TOO_SLOW
  [396, 'query_rows'], // TOO_MANY_ROWS_OR_BYTES
  [394, 'cancelled'], // QUERY_WAS_CANCELLED
  [734, 'cancelled'], // QUERY_WAS_CANCELLED_BY_CLIENT
  [243, 'disk_full'], // NOT_ENOUGH_SPACE
  [202, 'engine_lost'], // TOO_MANY_SIMULTANEOUS_QUERIES: a retry may succeed
  [209, 'engine_lost'], // SOCKET_TIMEOUT
  [210, 'engine_lost'], // NETWORK_ERROR
  [236, 'engine_lost'], // ABORTED: the server is shutting down
  [242, 'engine_lost'], // TABLE_IS_READ_ONLY: a replica without its Keeper
  [279, 'engine_lost'], // ALL_CONNECTION_TRIES_FAILED
  [439, 'engine_lost'], // CANNOT_SCHEDULE_TASK
  [745, 'engine_lost'], // SERVER_OVERLOADED
  [999, 'engine_lost'], // KEEPER_EXCEPTION
  [1002, 'engine_lost'], // UNKNOWN_EXCEPTION: not the fault of the statement
  [192, 'engine_unavailable'], // UNKNOWN_USER
  [193, 'engine_unavailable'], // WRONG_PASSWORD
  [194, 'engine_unavailable'], // REQUIRED_PASSWORD
  [516, 'engine_unavailable'], // AUTHENTICATION_FAILED
])

/** Converts whatever a call to an engine threw. After our own abort, that is `cancelled`. */
export const toWarehouseError = (error: unknown, { isAborted = false } = {}): WarehouseError => {
  if (error instanceof WarehouseError) return error
  const { code, message } = error as { code?: unknown; message?: unknown }
  const text = String(message ?? error)
  if (isAborted) return new WarehouseError('cancelled', 'The query was cancelled.', { cause: error })
  if (/^\d+$/.test(String(code))) return fromException(Number(code), text, error)
  return fromExceptionText(text) ?? brokenConnection(text, error)
}

/** The exception in a text of ClickHouse (`Code: 62. DB::Exception: …`), if there is one. */
export const fromExceptionText = (text: string): WarehouseError | null => {
  const match = /Code: (\d+)\.\s+DB::Exception: ([\s\S]+)/.exec(text)
  return match === null ? null : fromException(Number(match[1]), match[2]!)
}

/** A full disk: the engine knows nothing of quotas, so any code may come with it. */
const DISK_FULL = /No space left on device|errno: 28\b/

/** The process or the machine is out of threads, memory or open files. Any code may come with it. A retry may succeed. */
const EXHAUSTED = /errno: (?:11|12|23|24), strerror:/

const reasonOf = (code: number, text: string): WarehouseFault => {
  if (DISK_FULL.test(text)) return 'disk_full'
  return EXHAUSTED.test(text) ? 'engine_lost' : (FAULTS.get(code) ?? 'sql_error')
}

const fromException = (code: number, text: string, cause?: unknown): WarehouseError => {
  const reason = reasonOf(code, text)
  return new WarehouseError(reason, cleanMessage(text), cause === undefined ? undefined : { cause })
}

const brokenConnection = (text: string, cause: unknown): WarehouseError =>
  new WarehouseError('engine_lost', `The connection to the engine broke: ${text}`, { cause })

/** The prefix that `flattenSelect` gives a user's expression. */
const OWN_NAME = /\bc__\d+_(?=\w)/g

/**
 * `: (in file/uri /…)`, where the server keeps content while it is read. Messages contain users' texts, so the patterns here and below must not backtrack: no
 * match starts within a run of blanks, and paths have a maximum length.
 */
const WHERE_IT_LIES = /:?(?<!\s)\s*\(in file\/uri [^)]{0,1000}\)/g

/** Advice for authors of table functions, which do not exist here. */
const ADVICE = /\.?(?<!\s)\s*You can specify the structure manually:?/g

/** Advice for those who configure the engine: a query may not. */
const SETTING_ADVICE = / \(can be increased with the `\w+` setting\)/g

/** Paths of imported content and of table parts, which contain an id. Users' own paths stay. */
const OWN_PATH = /(?:[Ff]ile )?(?<![\w:/.])\/[^\s'"(),:]{0,400}[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}[^\s'"(),:]*/g

/** The engine's message for a parameter without a value. */
const NO_VALUE = /^Substitution `(\w+)` is not set/

/** For a missing table, the engine repeats the whole statement, however long. */
const NO_TABLE = /^Unknown table expression identifier '(\w+)' in scope [\s\S]*?\.( Maybe you meant \w+\?)?\s*$/

const noTable = (_: string, name: string, hint = ''): string =>
  name.endsWith('_quarantine')
    ? `There is no ${name}: it is made for the first row that does not fit.${hint}`
    : `There is no data source or pipe ${name}.${hint}`

/** The expression's columns, which are already named, and the table's, including those of its engine, are cut off. */
const COLUMNS_THERE = /^(Missing columns: .{1,2000}?), required columns: [\s\S]*$/

/** Turns the engine's message into a sentence for the user: no code, class names, version, stack or server path. Positions stay. */
const cleanMessage = (text: string): string =>
  withoutTail(text.slice(0, MAX_TEXT).split('Stack trace:', 1)[0]!)
    .replace(/\.? ?\([A-Z][A-Z0-9_]{2,}\) \(version [^()]*(\([^()]*\))?\)/g, '')
    .replace(/(Code: \d+\. )?\b(?:\w{1,100}::){1,8}\w{0,100}Exception: /g, '')
    .replace(WHERE_IT_LIES, '')
    .replace(ADVICE, '')
    .replace(SETTING_ADVICE, '')
    .replace(OWN_PATH, 'a file of the server')
    .replace(/(: (In scope|[Ww]hile executing|In query)|(?<=\.) In query) [\s\S]*$/, '')
    .replace(OWN_NAME, '')
    .replace(NO_TABLE, noTable)
    .replace(COLUMNS_THERE, '$1')
    .replace(NO_VALUE, 'The parameter $1 has no value: the SQL contains {$1:…}')
    .trim()
    .slice(0, MAX_MESSAGE)

/** Cuts off `(SYNTAX_ERROR) (version 26.7.2.1 (official build))`, which is repeated for every machine that passed the error on. */
const withoutTail = (text: string): string => {
  const cut = text
    .trimEnd()
    .replace(/\(version [^()]*(\([^()]*\))?\)\.?$/, '')
    .trimEnd()
    .replace(/\([A-Z][A-Z0-9_]{2,}\)$/, '')
  return cut === text ? text : withoutTail(cut)
}

/** As long as ClickHouse's own exceptions with a stack trace. */
const MAX_TEXT = 32_768

/** Some messages list every table or function with a similar name. */
const MAX_MESSAGE = 2_000
