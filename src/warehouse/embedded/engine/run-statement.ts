import { closeSync, createReadStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import { quoteIdentifier } from '../../quote-identifier.ts'
import { quoteText } from '../../quote-text.ts'
import type { ChdbAnswer } from './chdb.ts'
import { ClickHouseError, ERROR } from './clickhouse-error.ts'
import { type CounterWatch, NOT_WATCHED, refuseLostWrites } from './counters.ts'
import { insertContent } from './insert-content.ts'
import { withOwnQueryIds } from './query-id.ts'
import { readFifo } from './read-fifo.ts'
import type { StatementRequest } from './request.ts'
import type { ReadSoFar } from './running.ts'
import { type StatementInput, type Task, toSummary } from './task.ts'

/** Runs a statement in its own session. Throws `ClickHouseError` or what chDB throws; part of the response may have been sent by then. */
export const runStatement = async (input: Task): Promise<void> => {
  const { engine, request, gone } = input
  engine.running.add(request.queryId)
  const session = engine.sessions.take()
  const killing = killWhenGone(input)
  try {
    const counts = await prepare({ ...input, session })
    if (gone.aborted) throw new ClickHouseError(ERROR.QUERY_WAS_CANCELLED, 'Nobody waits for it. (QUERY_WAS_CANCELLED)')
    await choose(request)({ ...input, session, counts })
  } finally {
    killing.end()
    session.close()
    engine.running.remove(request.queryId)
  }
}

const KILL_AGAIN_MS = 100

/** Kills a statement when its client disconnects. KILL has no effect before chDB has started the statement, so it is repeated until the statement ends. */
const killWhenGone = ({ engine, request, gone }: Task): { readonly end: () => void } => {
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const kill = async (): Promise<void> => {
    await engine.running.kill(request.queryId).catch(() => {})
    if (!isOver) timer = setTimeout(kill, KILL_AGAIN_MS)
  }
  gone.addEventListener('abort', kill, { once: true })
  return {
    end: () => {
      isOver = true
      clearTimeout(timer)
      gone.removeEventListener('abort', kill)
    },
  }
}

/** Statements that write to tables, or to files that describe tables. */
const WRITES: ReadonlySet<string> = new Set(['INSERT', 'CREATE', 'ALTER'])

/** Configures the session, and starts the counters if the statement writes or must report what it has read. */
const prepare = async ({ engine, request, session }: Omit<StatementInput, 'counts'>): Promise<CounterWatch> => {
  const sql = preparation(request)
  const length = Buffer.byteLength(sql)
  if (length > SURELY_PARSED_BYTES) await session.queryAsync(`SET max_query_size = ${2 * length}`, { format: 'Null' })
  if (request.resultFile !== null || request.waitEndOfQuery) return engine.counters.watch(session, sql, request.queryId)
  if (WRITES.has(request.scanned.words[0] ?? '')) return engine.counters.watchWrites(session, sql)
  await session.queryAsync(sql, { format: 'Null' })
  return NOT_WATCHED
}

type Run = (input: StatementInput) => Promise<void>

const choose = ({ content, scanned, sql, waitEndOfQuery, resultFile }: StatementRequest): Run => {
  if (content !== null) return insertContent
  const [word] = scanned.words
  if (word === undefined) throw new ClickHouseError(ERROR.SYNTAX_ERROR, 'Syntax error: Empty query. (SYNTAX_ERROR)')
  if (word === 'INSERT') return sqlOnly(sql)
  if (scanned.several)
    throw new ClickHouseError(ERROR.SYNTAX_ERROR, 'Syntax error: Multi-statements are not allowed. (SYNTAX_ERROR)')
  if (word !== 'SELECT' && word !== 'WITH' && word !== '(') return sqlOnly(scanned.text)
  if (resultFile !== null) return forServer(resultFile)
  return waitEndOfQuery ? spool : stream
}

/**
 * How much of one statement the engine parses by default (`max_query_size`), and a size safely below it. Our own SET statement contains the parameters' values,
 * and may be longer.
 */
const PARSED_BYTES = 256 * 1024
const SURELY_PARSED_BYTES = PARSED_BYTES / 2

/** `readonly` comes last, because it forbids any further SET. */
const preparation = ({ queryId, settings, parameters, database }: StatementRequest): string => {
  const assignments = [
    ...[...parameters].map(([name, value]) => `param_${name} = ${quoteText(value)}`),
    ...[...settings].filter(([name]) => name !== 'readonly').map(([name, value]) => `${name} = ${quoteText(value)}`),
    `log_comment = ${quoteText(queryId)}`,
    ...(settings.has('max_query_size') ? [] : [`max_query_size = ${PARSED_BYTES}`]),
    // A folder named `day=5` above the server's files must not add a column to them.
    'use_hive_partitioning = 0',
    ...(settings.has('readonly') ? [`readonly = ${quoteText(settings.get('readonly')!)}`] : []),
  ]
  const use = database === null ? '' : `USE ${quoteIdentifier(database)}; `
  return `${use}SET ${assignments.join(', ')}`
}

const formatOf = ({ scanned, defaultFormat }: StatementRequest): string => scanned.format ?? defaultFormat

/** For statements with no result or a small one. */
const sqlOnly =
  (sql: string): Run =>
  async input => {
    const { engine, request, answer, session } = input
    const { words } = request.scanned
    const result = await session.queryAsync(withOwnQueryIds(sql, words), { format: formatOf(request) })
    if (words[0] === 'KILL') await engine.running.watchKilled()
    const bytes = result.bytes()
    const counted = await input.counts.end()
    refuseLostWrites(counted)
    const summary = toSummary(input, result, counted.read)
    answer.begin(summary)
    if (bytes.length > 0) await answer.write(bytes)
    await answer.end(summary)
  }

/** A SELECT whose result flows through a FIFO: chDB formats it on its own threads, and nothing is buffered. */
const stream: Run = async input => {
  const { engine, request, answer, session } = input
  const fifo = engine.fifos.take()
  const reader = fifo.openForReading()
  const hold = fifo.openForWriting()
  fifo.wait(reader)
  const done = session
    .queryAsync(into(request, fifo.path, 'TRUNCATE'), { format: 'Null' })
    .finally(() => closeSync(hold))
  const read = readFifo(reader, answer.write)
  await Promise.allSettled([done, read])
  fifo.release()
  const result = await done
  await read
  await answer.end(toSummary(input, result))
}

/** A SELECT whose result goes into a file that the server has created and reads as it grows. */
const forServer =
  (name: string): Run =>
  async input => {
    const path = join(input.engine.spoolPath, name)
    try {
      // TRUNCATE would create another file and rename it.
      const { result, read } = await write(input, path, 'APPEND')
      await input.answer.end(toSummary(input, result, read))
    } finally {
      // The server may have removed its file before chDB opened it, so that chDB created a new one.
      if (input.gone.aborted) rmSync(path, { force: true })
    }
  }

/** A SELECT whose result is sent only when it is complete. */
const spool: Run = async input => {
  const { engine, answer } = input
  const path = join(engine.spoolPath, `${engine.nextFile()}.out`)
  try {
    const { result, read } = await write(input, path, 'TRUNCATE')
    const summary = toSummary(input, result, read)
    answer.begin(summary)
    for await (const part of createReadStream(path)) if (!(await answer.write(part))) break
    await answer.end(summary)
  } finally {
    rmSync(path, { force: true })
  }
}

type How = 'TRUNCATE' | 'APPEND'

type Written = { readonly result: ChdbAnswer; readonly read: ReadSoFar | null }

/** Writes the result to a file, completely or not at all. */
const write = async ({ request, session, counts }: StatementInput, path: string, how: How): Promise<Written> => {
  const result = await session.queryAsync(into(request, path, how), { format: 'Null' })
  const counted = await counts.end()
  refuseLostWrites(counted)
  return { result, read: counted.read }
}

const into = (request: StatementRequest, path: string, how: How): string =>
  `${withOwnQueryIds(request.scanned.text, request.scanned.words)}\nINTO OUTFILE ${quoteText(path)} ${how} FORMAT ${formatOf(request)}`
