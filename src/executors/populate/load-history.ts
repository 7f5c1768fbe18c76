import type { Data } from '../../data/data.ts'
import { countStaged } from '../../data/insert-query.ts'
import { columnNames, INSERT_SETTINGS, insertSelect } from '../../data/insert-select.ts'
import { sleep } from '../../data/lock-tables.ts'
import { qualified } from '../../data/table-ddl.ts'
import type { Loaded, Staged } from '../../data/write-rows.ts'
import { newId } from '../../kernel/ids.ts'
import { findDataSource } from '../../model/catalogue-graph.ts'
import { compileNode } from '../../model/compile-node.ts'
import type { Pipe, PipeNode } from '../../model/pipe.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { WarehouseError } from '../../warehouse/warehouse.ts'
import type { ExecutionContext } from '../executor.ts'

/** What of a source goes through which node. */
export type History = {
  readonly pipe: Pipe
  readonly node: PipeNode
  readonly source: string
  readonly subset: number | null
  /** As the guard let it through. */
  readonly condition: string | null
}

type Input = {
  readonly data: Data
  readonly workspace: string
  readonly staged: Staged
  readonly context: ExecutionContext
  readonly history: History
}

type Step = { readonly id: string; readonly partition: string; readonly rows: number; status: StepStatus }
type StepStatus = 'waiting' | 'working' | 'done' | 'error' | 'cancelled'

/**
 * One step for each partition of the source, each into a table of its own: what broke is done again alone. Their tables join the staged
 * target when all are done.
 */
export const loadHistory = async (input: Input): Promise<Loaded> => {
  const steps = await planSteps(input)
  const tell = () => tellSteps(input.context, steps)
  tell()
  for (const step of steps) {
    step.status = 'working'
    tell()
    try {
      await withRetries(input, () => runStep(input, step, steps))
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
  return {
    type: 'loaded',
    outcome: { rows_read: rowsRead, rows_written: await countStaged(input.staged, input.staged.target.name) },
  }
}

/** Nothing else writes the source meanwhile: its rows would be fed to the target, which is ours. */
const planSteps = async ({ staged, history }: Input): Promise<Step[]> => {
  const parts = await staged.statements.rows<{ partition: string; rows: string }>({
    sql: `SELECT partition_id AS partition, sum(rows) AS rows FROM system.parts
      WHERE database = {database:String} AND table = {table:String} AND active GROUP BY partition ORDER BY partition`,
    parameters: { database: staged.liveDatabase, table: history.source },
  })
  return parts.map(({ partition, rows }) => ({ id: newId(), partition, rows: Number(rows), status: 'waiting' }))
}

/** The share of steps that were begun: as the example of the Tinybird document counts. */
const tellSteps = (context: ExecutionContext, steps: readonly Step[]): void => {
  const begun = steps.filter(({ status }) => status !== 'waiting').length
  context.progress({
    percentage: steps.length === 0 ? 100 : Math.floor((begun / steps.length) * 100),
    message: `${begun} of ${steps.length} partitions`,
    steps: steps.map(({ id, status }) => ({ id, status })),
  })
}

const tableOf = (staged: Staged, steps: readonly Step[], step: Step): string =>
  qualified(staged.database, `c__step_${steps.indexOf(step)}`)

const runStep = async (input: Input, step: Step, steps: readonly Step[]): Promise<void> => {
  const { data, workspace, staged, history } = input
  const { statements, catalogue, target, liveDatabase } = staged
  const table = tableOf(staged, steps, step)
  await statements.command({ sql: `DROP TABLE IF EXISTS ${table} SYNC` })
  await statements.command({ sql: `CREATE TABLE ${table} AS ${qualified(staged.database, target.name)}` })
  const node = await data.warehouse.checkSelect({ workspace, sql: compileNode(catalogue, history.pipe, history.node) })
  await statements.command({
    database: liveDatabase,
    sql: insertSelect(target, `${onlyOf(input, step, steps)} ${node}`, table),
    parameters: { partition: step.partition },
    settings: INSERT_SETTINGS,
  })
}

/** Tinybird's documentation has this bound for a subset. */
const MOST_OF_SUBSET = 2_000_000

/** The source's name stands for some of its rows, wherever the node's SQL reads it. */
const onlyOf = ({ staged, history }: Input, step: Step, steps: readonly Step[]): string => {
  const { source, subset, condition } = history
  const name = quoteIdentifier(source)
  const names = columnNames(findDataSource(staged.catalogue, source)!)
  const all = steps.reduce((sum, { rows }) => sum + rows, 0)
  const sample = subset === null ? '' : `AND rand64() < ${Math.floor(subset * 2 ** 32)} * 4294967296`
  const limit = subset === null ? '' : `LIMIT ${Math.ceil((MOST_OF_SUBSET * step.rows) / all)}`
  const where = condition === null ? '' : `AND (${condition})`
  return `WITH ${name} AS (SELECT ${names} FROM ${qualified(staged.liveDatabase, source)} WHERE _partition_id = {partition:String} ${where} ${sample} ${limit})`
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

/** An engine that was lost comes back, and what was staged is still there. */
const withRetries = async ({ context }: Input, work: () => Promise<void>): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const isLost = error instanceof WarehouseError && error.reason === 'engine_lost'
      if (!isLost || tries === TRIES || context.stop.cause !== null) throw error
      await sleep(PAUSE_MS, context.stop.signal)
    }
  }
}
