import type { Data } from '../../data/data.ts'
import { qualified } from '../../data/table-ddl.ts'
import type { Loaded, Staged } from '../../data/write-rows.ts'
import { quoteText } from '../../warehouse/quote-text.ts'
import type { ExecutionContext } from '../executor.ts'
import { countOf, matchedPartitions } from './matched-partitions.ts'
import { mutateParts } from './mutate-parts.ts'
import { rewritePartitions } from './rewrite-partitions.ts'
import { rowsOfPartitions } from './rows-of-partitions.ts'

/** What of a data source goes, and where the rest of it is made. */
export type Deletion = {
  readonly data: Data
  readonly workspace: string
  readonly staged: Staged
  /** As the guard let it through. */
  readonly condition: string
  readonly context: ExecutionContext
}

/** Fills the staged table with the rows for which the condition does not hold. Throws `WarehouseError`. */
export const keepOthers = async (deletion: Deletion): Promise<Loaded> => {
  const { staged, condition } = deletion
  const { statements, database, liveDatabase, target } = staged
  const live = qualified(liveDatabase, target.name)
  const next = qualified(database, target.name)
  // Counted before: the engine may merge rows meanwhile, and so a partition of which all rows match is whole indeed.
  const rows = await rowsOfPartitions(statements, { database: liveDatabase, table: target.name })
  const matched = await matchedPartitions(statements, { table: live, condition })
  await statements.command({ sql: `ALTER TABLE ${next} ATTACH PARTITION ALL FROM ${live}` })
  for (const { partition } of matched)
    await statements.command({ sql: `ALTER TABLE ${next} DROP PARTITION ID ${quoteText(partition)}` })
  const some = matched.filter(({ partition, count }) => rows.get(partition) !== count)
  if (some.length > 0 && !(await mutateParts(deletion, some))) await rewritePartitions(deletion, some)
  return { type: 'loaded', outcome: { rows_deleted: countOf(matched) } }
}
