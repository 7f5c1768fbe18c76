import { conditionFault } from '../../data/condition-fault.ts'
import type { Data } from '../../data/data.ts'
import { qualified } from '../../data/tables/table-ddl.ts'
import { columnNames, copySettings } from '../../data/write/insert-select.ts'
import { putBefore } from '../../data/write/stage-tables.ts'
import type { Staged } from '../../data/write/write-rows.ts'
import { mergesRows } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { ImportFailure } from './import-failure.ts'

type Input = {
  readonly data: Data
  readonly workspace: string
  readonly staged: Staged
  /** As the user wrote it. */
  readonly condition: string
}

/**
 * For a replace with a condition: checks that all new rows match it, and keeps the existing rows that do not. A NULL condition does not match. Throws
 * `ImportFailure`, `WarehouseError`.
 */
export const keepOthers = async ({ data, workspace, staged, condition }: Input): Promise<void> => {
  const { statements, database, liveDatabase, target } = staged
  const checked = await data.warehouse.checkExpression({ workspace, sql: condition })
  const holds = `ifNull((${checked}), 0) != 0`
  const table = quoteIdentifier(target.name)
  const [row] = await statements
    .rows<{ count: string; sample: string }>({
      database,
      // The condition's scope has no alias of ours: it could be the name of a column, or show up in an error message.
      sql: `SELECT count() AS count, any(toJSONString(tuple(*))) AS sample FROM (SELECT * FROM ${table} WHERE NOT (${holds}))`,
    })
    .catch(error => {
      throw conditionFault(error)
    })
  const others = Number(row!.count)
  if (others > 0)
    throw new ImportFailure(
      'schema_mismatch',
      `The replace_condition does not hold for all new rows (not for ${others}), for example ${row!.sample.slice(0, 300)}.`,
    )
  const kept = (into: string) =>
    statements.command({
      database,
      sql: `INSERT INTO ${quoteIdentifier(into)} (${columnNames(target)}) SELECT ${columnNames(target)} FROM ${qualified(liveDatabase, target.name)} WHERE NOT (${holds})`,
      settings: copySettings(target),
    })
  await (mergesRows(target) ? putBefore(staged, target.name, kept) : kept(target.name))
}
