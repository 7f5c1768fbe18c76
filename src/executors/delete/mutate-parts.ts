import { isPrintedAlike } from '../../data/tables/printed-alike.ts'
import { createTableSql, qualified } from '../../data/tables/table-ddl.ts'
import type { Staged } from '../../data/write/write-rows.ts'
import { type DataSource, mergesRows } from '../../model/data-source.ts'
import { quoteText } from '../../warehouse/quote-text.ts'
import { isSqlError, type QueryProgress } from '../../warehouse/warehouse.ts'
import { followProgress } from '../follow-progress.ts'
import type { Deletion } from './keep-others.ts'
import { countOf, type Matched } from './matched-partitions.ts'
import { partitionSizes } from './partition-sizes.ts'

/** No data source can have this name. */
const KEPT = 'c__kept'

/**
 * Links these partitions, lets the engine delete the rows from the links, and attaches the rest to the staged table. Only parts with such rows are rewritten,
 * and all keep their order. False: it was not possible or removed a wrong number of rows, and the staged table is unchanged.
 */
export const mutateParts = async (deletion: Deletion, partitions: readonly Matched[]): Promise<boolean> => {
  const { data, workspace, staged, condition } = deletion
  const { statements, database, liveDatabase, target } = staged
  const kept = qualified(database, KEPT)
  const mutation = `ALTER TABLE ${kept} DELETE WHERE ${condition}`
  // The engine stores a mutation as it prints it. A column named `true` would become the value, which deletes all rows.
  if (namesMoreThanColumns(condition, target) || !(await isPrintedAlike(data.warehouse, workspace, mutation)))
    return false
  await statements.command({ sql: createTableSql(database, { ...target, name: KEPT }) })
  try {
    for (const { partition } of partitions)
      await statements.command({
        sql: `ALTER TABLE ${kept} ATTACH PARTITION ID ${quoteText(partition)} FROM ${qualified(liveDatabase, target.name)}`,
      })
    const before = await rowsOf(staged)
    if (!(await mutate(deletion, mutation, before))) return false
    // Other tables cannot be counted: merges or a TTL may remove rows meanwhile.
    const isCountable = !mergesRows(target) && target.ttl === null
    if (isCountable && before - (await rowsOf(staged)) !== countOf(partitions)) return false
    await statements.command({
      sql: `ALTER TABLE ${qualified(database, target.name)} ATTACH PARTITION ALL FROM ${kept}`,
    })
    return true
  } finally {
    // After a stop, it is dropped with its database.
    if (!deletion.context.stop.signal.aborted) await statements.command({ sql: `DROP TABLE ${kept} SYNC` })
  }
}

/** Some of the engine's own names for a row (`_part`, `_part_offset`) mean something else in another table. */
const namesMoreThanColumns = (condition: string, { columns }: DataSource): boolean =>
  (condition.match(/(?<!\w)_\w+/g) ?? []).some(word => !columns.some(({ name }) => name === word))

const rowsOf = async ({ statements, database }: Staged): Promise<number> =>
  (await partitionSizes(statements, { database, table: KEPT })).values().reduce((sum, { rows }) => sum + rows, 0)

/** False: a mutation does not accept the condition. */
const mutate = async ({ staged, context }: Deletion, sql: string, rows: number): Promise<boolean> => {
  const follower = followProgress(() => progressOf(staged, rows), context)
  try {
    await staged.statements.command({ sql, settings: { mutations_sync: 1 } })
    return true
  } catch (error) {
    if (isSqlError(error)) return false
    throw error
  } finally {
    await follower.end()
  }
}

const PROGRESS_SQL = `SELECT
  (SELECT sum(rows) FROM system.parts
    WHERE database = {database:String} AND table = {table:String} AND active AND name IN
      (SELECT arrayJoin(parts_to_do_names) FROM system.mutations
        WHERE database = {database:String} AND table = {table:String} AND NOT is_done)) AS left,
  (SELECT sum(rows_read) FROM system.merges
    WHERE database = {database:String} AND table = {table:String} AND is_mutation) AS read`

/** Counts the rows of finished parts, linked or rewritten, and the rows read so far of parts in progress. */
const progressOf = async ({ statements, database }: Staged, totalRows: number): Promise<QueryProgress> => {
  const [found] = await statements.rows<{ left: string; read: string }>({
    sql: PROGRESS_SQL,
    parameters: { database, table: KEPT },
  })
  const rowsRead = totalRows - Math.max(0, Number(found!.left) - Number(found!.read))
  return { rowsRead, bytesRead: 0, totalRows }
}
