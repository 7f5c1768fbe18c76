import type { Statements } from '../../data/statements.ts'
import { qualified } from '../../data/tables/table-ddl.ts'
import { newId } from '../../kernel/ids.ts'
import type { DataSource } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { quoteText } from '../../warehouse/quote-text.ts'
import {
  cutsColumn,
  cutsSql,
  findRangeKeys,
  MOST_RANGES,
  type RangeKey,
  ROWS_OF_STEP,
  rangeConditions,
} from './key-ranges.ts'

/** Rows of a source that go through the node by themselves. Every row is in exactly one step. */
export type Step = {
  readonly id: string
  readonly partition: string
  /** Which rows of the partition; null: all. */
  readonly condition: string | null
  readonly rows: number
  status: StepStatus
}

type StepStatus = 'waiting' | 'working' | 'done' | 'error' | 'cancelled'

type Rows = {
  readonly statements: Statements
  readonly database: string
  /** A table with all rows of the source. */
  readonly table: string
  readonly dataSource: DataSource
}

/**
 * One step per partition. A partition with many rows is split into ranges of about that size: by the first sorting column, and where many rows share its value,
 * by the next.
 */
export const planSteps = async (rows: Rows): Promise<readonly Step[]> => {
  const partitions = await findPartitions(rows)
  const all = partitions.reduce((sum, part) => sum + part.rows, 0)
  const cutting = { ...rows, most: Math.max(ROWS_OF_STEP, Math.ceil(all / MOST_RANGES)) }
  const keys = findRangeKeys(rows.dataSource)
  const steps: Part[] = []
  for (const partition of partitions) steps.push(...(await cut(cutting, partition, keys)))
  return steps.map(part => ({ ...part, id: newId(), status: 'waiting' }))
}

type Part = Pick<Step, 'partition' | 'condition' | 'rows'>

const findPartitions = async ({ statements, database, table }: Rows): Promise<readonly Part[]> => {
  const parts = await statements.rows<{ partition: string; rows: string }>({
    sql: `SELECT partition_id AS partition, sum(rows) AS rows FROM system.parts
      WHERE database = {database:String} AND table = {table:String} AND active GROUP BY partition ORDER BY partition`,
    parameters: { database, table },
  })
  return parts.map(({ partition, rows }) => ({ partition, condition: null, rows: Number(rows) }))
}

type Cutting = Rows & {
  /** Rows per step to aim for. */
  readonly most: number
}

/** Leaves out ranges without rows: a node may produce a row from no input. */
const cut = async (cutting: Cutting, part: Part, keys: readonly RangeKey[]): Promise<readonly Part[]> => {
  const [key, ...others] = keys
  const ranges = Math.ceil(part.rows / cutting.most)
  if (key === undefined || ranges < 2) return [part]
  const cuts = await findCuts(cutting, part, { key, ranges })
  if (cuts.length === 0) return cut(cutting, part, others)
  const parts: Part[] = []
  for (const found of await countRanges(cutting, part, rangeConditions(key, cuts))) {
    if (found.rows === 0) continue
    parts.push(...(found.rows < 2 * cutting.most ? [found] : await cut(cutting, found, others)))
  }
  return parts
}

type Cut = { readonly key: RangeKey; readonly ranges: number }

const findCuts = async (rows: Rows, part: Part, { key, ranges }: Cut): Promise<readonly bigint[]> => {
  const from = { table: qualified(rows.database, rows.table), condition: conditionOf(part), count: part.rows }
  const [found] = await rows.statements.rows<Record<typeof cutsColumn, readonly string[]>>({
    sql: cutsSql(key, from, ranges),
  })
  return [...new Set(found![cutsColumn])].map(BigInt)
}

const countRanges = async (rows: Rows, part: Part, ranges: readonly string[]): Promise<readonly Part[]> => {
  const counts = ranges.map(range => `countIf(${range})`).join(', ')
  const from = `${qualified(rows.database, rows.table)} WHERE ${conditionOf(part)}`
  const [found] = await rows.statements.rows<Record<typeof countsColumn, readonly string[]>>({
    sql: `SELECT [${counts}] AS ${quoteIdentifier(countsColumn)} FROM ${from}`,
  })
  return ranges.map((range, index) => ({
    ...part,
    condition: part.condition === null ? range : `${part.condition} AND ${range}`,
    rows: Number(found![countsColumn][index]),
  }))
}

/** No user column can have this name. */
const countsColumn = '\tcounts'

const conditionOf = ({ partition, condition }: Part): string =>
  `_partition_id = ${quoteText(partition)}${condition === null ? '' : ` AND ${condition}`}`
