import type { Data } from '../../data/data.ts'
import { qualified } from '../../data/tables/table-ddl.ts'
import type { Loaded, Staged } from '../../data/write/write-rows.ts'
import { quoteText } from '../../warehouse/quote-text.ts'
import type { ExecutionContext } from '../executor.ts'
import { countOf, type Matched, matchedPartitions } from './matched-partitions.ts'
import { mutateParts } from './mutate-parts.ts'
import { partitionSizes } from './partition-sizes.ts'
import { rewritePartitions } from './rewrite-partitions.ts'

/** Which rows of a data source to delete, and where to build the rest. */
export type Deletion = {
  readonly data: Data
  readonly workspace: string
  readonly staged: Staged
  /** As the guard returned it. */
  readonly condition: string
  readonly context: ExecutionContext
}

/** Bytes per part. The engine starts to mutate only ten parts a second, one after the other; smaller parts are copied faster. */
const WORTH_MUTATING = 8 * 2 ** 20

/** Fills the staged table with the rows that do not match the condition. Throws `WarehouseError`. */
export const keepOthers = async (deletion: Deletion): Promise<Loaded> => {
  const { staged, condition } = deletion
  const { statements, database, liveDatabase, target } = staged
  const live = qualified(liveDatabase, target.name)
  const next = qualified(database, target.name)
  // Rows are counted before matches: merges in between can only lower the second count, so equal counts mean that all rows of a partition match.
  const sizes = await partitionSizes(statements, { database: liveDatabase, table: target.name })
  const matched = await matchedPartitions(statements, { table: live, condition })
  await statements.command({ sql: `ALTER TABLE ${next} ATTACH PARTITION ALL FROM ${live}` })
  for (const { partition } of matched)
    await statements.command({ sql: `ALTER TABLE ${next} DROP PARTITION ID ${quoteText(partition)}` })
  const some = matched.filter(({ partition, count }) => sizes.get(partition)?.rows !== count)
  const isMutated = ({ partition }: Matched): boolean => (sizes.get(partition)?.bytesOfPart ?? 0) >= WORTH_MUTATING
  const large = some.filter(isMutated)
  const isDone = large.length > 0 && (await mutateParts(deletion, large))
  await rewritePartitions(deletion, isDone ? some.filter(partition => !isMutated(partition)) : some)
  return { type: 'loaded', outcome: { rows_deleted: countOf(matched) } }
}
