import type { Statements } from '../../data/statements.ts'
import { qualified } from '../../data/table-ddl.ts'
import { newId } from '../../kernel/ids.ts'
import type { DataSource } from '../../model/data-source.ts'
import { boundsSql, cutRange, findRangeKey, MOST_RANGES, ROWS_OF_STEP, rangeConditions } from './key-ranges.ts'

/** A part of the rows of a source that goes through the node by itself. Every row is in exactly one. */
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

/** One for each partition; where rows are kept apart by none and are many, one for each range of the first column they are sorted by. */
export const planSteps = async (rows: Rows): Promise<readonly Step[]> => {
  const partitions = await findPartitions(rows)
  const [whole] = partitions
  const ranges = rows.dataSource.partitionKey === null && whole !== undefined ? await cutWhole(rows, whole) : []
  return (ranges.length > 1 ? ranges : partitions).map(part => ({ ...part, id: newId(), status: 'waiting' }))
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

/** Ranges without rows are left out: of nothing, too, a node may make a row. */
const cutWhole = async ({ statements, database, table, dataSource }: Rows, whole: Part): Promise<readonly Part[]> => {
  const most = Math.min(MOST_RANGES, Math.ceil(whole.rows / ROWS_OF_STEP))
  const key = most > 1 ? findRangeKey(dataSource) : null
  if (key === null) return []
  const from = qualified(database, table)
  const [bounds] = await statements.rows<{ least: string | null; greatest: string | null }>({
    sql: boundsSql(key, from),
  })
  if (bounds?.least == null || bounds.greatest === null) return []
  const cuts = cutRange(BigInt(bounds.least), BigInt(bounds.greatest), most)
  const parts: Part[] = []
  for (const condition of rangeConditions(key, cuts)) {
    const sql = `SELECT count() AS rows FROM (SELECT 1 FROM ${from} WHERE ${condition})`
    const [counted] = await statements.rows<{ rows: string }>({ sql })
    const rows = Number(counted!.rows)
    if (rows > 0) parts.push({ ...whole, condition, rows })
  }
  return parts
}
