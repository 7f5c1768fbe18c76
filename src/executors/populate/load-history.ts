import { conditionFault } from '../../data/condition-fault.ts'
import type { Data } from '../../data/data.ts'
import { compileNode } from '../../data/pipes/compile-select.ts'
import { createAliasSql, keepUnmergedSql, qualified } from '../../data/tables/table-ddl.ts'
import { givenColumns } from '../../data/write/given-columns.ts'
import { countStaged } from '../../data/write/insert-query.ts'
import { IN_ORDER, INSERT_SETTINGS, insertSelect } from '../../data/write/insert-select.ts'
import { sleep } from '../../data/write/lock-tables.ts'
import { dropStaging, sourceName } from '../../data/write/staging-database.ts'
import type { Loaded, Staged } from '../../data/write/write-rows.ts'
import { dataSourcesOf, findDataSource, orderCounts } from '../../model/catalogue-graph.ts'
import type { WriteMode } from '../../model/data-source.ts'
import type { ClaimedJob } from '../../model/job.ts'
import type { Pipe, PipeNode } from '../../model/pipe.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { quoteText } from '../../warehouse/quote-text.ts'
import { isAway, isSqlError } from '../../warehouse/warehouse.ts'
import type { ExecutionContext } from '../executor.ts'
import { planSteps, type Step } from './plan-steps.ts'

/** Which rows of a source go through which node. */
export type History = {
  readonly pipe: Pipe
  readonly node: PipeNode
  readonly source: string
  readonly mode: WriteMode
  readonly subset: number | null
  /** As the guard returned it. */
  readonly condition: string | null
}

type Input = {
  readonly data: Data
  readonly job: ClaimedJob
  readonly staged: Staged
  readonly context: ExecutionContext
  readonly history: History
}

/**
 * Loads the source step by step, by partitions or ranges, each step into its own table: a failed step is retried alone. The tables join the staged target when
 * all steps are done.
 */
export const loadHistory = async (input: Input): Promise<Loaded> => {
  const database = sourceName(input.staged.database)
  try {
    const source = await openSource(input, database)
    await checkCondition(input, source)
    return await loadSteps(input, source)
  } finally {
    // If this fails, it is dropped with the staging database, or by the next use of the workspace.
    await dropStaging(input.data.warehouse, input.job.workspace, database).catch(ignore)
  }
}

const ignore = (): void => {}

const loadSteps = async (input: Input, source: Source): Promise<Loaded> => {
  const { statements, catalogue } = input.staged
  const dataSource = findDataSource(catalogue, input.history.source)!
  const steps = await planSteps({ statements, database: source.database, table: ALL, dataSource })
  const tell = () => tellSteps(input.context, steps)
  let bytesRead = 0
  tell()
  for (const step of steps) {
    step.status = 'working'
    tell()
    try {
      bytesRead += await withRetries(input, () => runStep(input, source, { step, steps }))
      step.status = 'done'
    } catch (error) {
      step.status = input.context.stop.cause === null ? 'error' : 'cancelled'
      tell()
      throw error
    }
    tell()
  }
  await withRetries(input, () => joinSteps(input, steps))
  const rowsRead = steps.reduce((sum, { rows }) => sum + rows, 0)
  const rowsWritten = await countStaged(input.staged, input.staged.target.name)
  return { type: 'loaded', outcome: { rows_read: rowsRead, bytes_read: bytesRead, rows_written: rowsWritten } }
}

/**
 * A database in which the node's SQL runs unchanged (FINAL, SAMPLE and PREWHERE do not work on a common table expression). There, the source's name is a table
 * with the rows of one step. Everything else that the node reads stays as it is at the beginning, the same for all steps.
 */
type Source = {
  readonly database: string
  /** All rows as they are at the beginning, linked: rows that are deleted meanwhile are in all steps or in none. */
  readonly all: string
}

/** No data source can have this name. */
const ALL = 'c__all'

const openSource = async ({ data, job, staged, history }: Input, database: string): Promise<Source> => {
  const { statements, catalogue, target, liveDatabase } = staged
  await dropStaging(data.warehouse, job.workspace, database)
  await statements.command({ sql: `CREATE DATABASE ${quoteIdentifier(database)}` })
  for (const name of dataSourcesOf(catalogue, history.pipe, history.node)) {
    // The target is locked, so an alias will do. In replace mode, the node must not see the rows to be replaced.
    const of = { database: history.mode === 'replace' ? staged.database : liveDatabase, name }
    if (name === target.name) await statements.command({ sql: createAliasSql(database, of) })
    else if (name !== history.source) await linkLive(staged, { name, into: qualified(database, name) })
  }
  const all = qualified(database, ALL)
  await linkLive(staged, { name: history.source, into: all })
  return { database, all }
}

/** Checks the condition alone: a step's filter contains more than the user wrote, and an error message would show it. */
const checkCondition = async ({ staged, history: { source, condition } }: Input, { all }: Source): Promise<void> => {
  if (condition === null) return
  const sql = `SELECT 1 FROM ${all} AS ${quoteIdentifier(source)} WHERE (${condition}) LIMIT 0`
  await staged.statements.rows({ sql }).catch(error => {
    throw conditionFault(error)
  })
}

type Link = { readonly name: string; readonly into: string }

/**
 * Makes a table of the rows that a live table has now. They are not merged between steps. Retries, because a column may be added to the live table between
 * these statements.
 */
const linkLive = async ({ statements, liveDatabase }: Staged, { name, into }: Link): Promise<void> => {
  const live = qualified(liveDatabase, name)
  for (let tries = 1; ; tries++)
    try {
      await statements.command({ sql: `DROP TABLE IF EXISTS ${into} SYNC` })
      await statements.command({ sql: `CREATE TABLE ${into} AS ${live}` })
      await statements.command({ sql: keepUnmergedSql(into) })
      return await statements.command({ sql: `ALTER TABLE ${into} ATTACH PARTITION ALL FROM ${live}` })
    } catch (error) {
      if (!isSqlError(error) || tries === TRIES) throw error
    }
}

/** Reports the share of steps begun, like the example in Tinybird's document. */
const tellSteps = (context: ExecutionContext, steps: readonly Step[]): void => {
  const begun = steps.filter(({ status }) => status !== 'waiting').length
  context.progress({
    percentage: steps.length === 0 ? 100 : Math.floor((begun / steps.length) * 100),
    message: `${begun} of ${steps.length} ${steps.some(({ condition }) => condition !== null) ? 'ranges' : 'partitions'}`,
    steps: steps.map(({ id, status }) => ({ id, status })),
  })
}

const tableOf = (staged: Staged, steps: readonly Step[], step: Step): string =>
  qualified(staged.database, `c__step_${steps.indexOf(step)}`)

type Place = { readonly step: Step; readonly steps: readonly Step[] }

/** Returns the number of bytes read. */
const runStep = async (input: Input, source: Source, place: Place): Promise<number> => {
  const { data, job, staged, history } = input
  const { statements, catalogue, target } = staged
  const table = tableOf(staged, place.steps, place.step)
  await fillSource(input, source, place)
  await statements.command({ sql: `DROP TABLE IF EXISTS ${table} SYNC` })
  await statements.command({ sql: `CREATE TABLE ${table} AS ${qualified(staged.database, target.name)}` })
  const node = await data.warehouse.checkSelect({
    workspace: job.workspace,
    sql: await compileNode(data, { workspace: job.workspace, catalogue, pipe: history.pipe, node: history.node }),
  })
  const given = await givenColumns(statements, { sql: node, database: source.database })
  const read = await statements.measuredCommand({
    database: source.database,
    sql: insertSelect({ into: target, table, select: node, given }),
    settings: {
      ...INSERT_SETTINGS,
      ...(orderCounts(catalogue, target.name) && IN_ORDER),
      ...filterSettings(input, source, place),
    },
  })
  return read.bytesRead
}

/** Links the rows of one step. A copy would have another order, on which FINAL depends. */
const fillSource = async ({ staged, history }: Input, source: Source, { step }: Place): Promise<void> => {
  const { statements } = staged
  const table = qualified(source.database, history.source)
  await statements.command({ sql: `DROP TABLE IF EXISTS ${table} SYNC` })
  await statements.command({ sql: `CREATE TABLE ${table} AS ${source.all}` })
  await statements.command({
    sql: `ALTER TABLE ${table} ATTACH PARTITION ID ${quoteText(step.partition)} FROM ${source.all}`,
  })
}

/** Most rows of a populate with `subset`. Tinybird's documentation has a limit of 2 million, which random sampling should not exceed. */
const MOST_OF_SUBSET = 1_990_000

/** Filters the source wherever the node's SQL reads it. */
const filterSettings = (
  { history }: Input,
  source: Source,
  { step, steps }: Place,
): Readonly<Record<string, string>> => {
  const conditions = [step.condition, filterOf(history, steps)].filter(condition => condition !== null)
  if (conditions.length === 0) return {}
  const filter = conditions.map(condition => `(${condition})`).join(' AND ')
  const table = `${source.database}.${history.source}`
  return { additional_table_filters: `{${quoteText(table)}: ${quoteText(filter)}}` }
}

const filterOf = ({ subset, condition }: History, steps: readonly Step[]): string | null => {
  if (subset === null) return condition
  const all = steps.reduce((sum, { rows }) => sum + rows, 0)
  return `rand64() < ${Math.floor(Math.min(subset, MOST_OF_SUBSET / all) * 2 ** 32)} * 4294967296`
}

const joinSteps = async ({ staged }: Input, steps: readonly Step[]): Promise<void> => {
  const target = qualified(staged.database, staged.target.name)
  await staged.statements.command({ sql: `TRUNCATE TABLE ${target} SYNC` })
  for (const step of steps) {
    const sql = `ALTER TABLE ${target} ATTACH PARTITION ALL FROM ${tableOf(staged, steps, step)}`
    await staged.statements.command({ sql })
  }
}

const TRIES = 3
const PAUSE_MS = 1000

/** Retries if the engine was lost: it comes back, and staged tables are still there. */
const withRetries = async <T>({ context }: Input, work: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isAway(error) || tries === TRIES || context.stop.cause !== null) throw error
      await sleep(PAUSE_MS, context.stop.signal)
    }
  }
}
