import { qualified } from '../../data/tables/table-ddl.ts'
import { columnNames, copySettings } from '../../data/write/insert-select.ts'
import type { ExecutionContext } from '../executor.ts'
import { withStatementProgress } from '../follow-statements.ts'
import type { Deletion } from './keep-others.ts'
import type { Matched } from './matched-partitions.ts'

/** Copies the rows to keep of these partitions into the staged table: for small parts, and for conditions that a mutation does not accept. */
export const rewritePartitions = async (deletion: Deletion, partitions: readonly Matched[]): Promise<void> => {
  const { staged, condition, context } = deletion
  const { statements, database, liveDatabase, target } = staged
  const names = columnNames(target)
  for (const [index, { partition }] of partitions.entries()) {
    const insert = {
      // A condition that is NULL does not match.
      sql: `INSERT INTO ${qualified(database, target.name)} (${names})
        SELECT ${names} FROM ${qualified(liveDatabase, target.name)}
        WHERE _partition_id = {partition:String} AND NOT ifNull(${condition}, 0)`,
      parameters: { partition },
      settings: copySettings(target),
    }
    const part = beginPart(context, index, partitions.length)
    await withStatementProgress(statements, part, () => statements.command(insert))
  }
}

/** A context that maps progress to one of several equal parts. Reports at once that the part begins. */
const beginPart = (
  context: ExecutionContext,
  index: number,
  parts: number,
): Pick<ExecutionContext, 'progress' | 'logger'> => {
  const place = `partition ${index + 1} of ${parts}`
  const percentageAt = (share: number): number => Math.floor((index * 100 + share) / parts)
  context.progress({ percentage: percentageAt(0), message: place })
  return {
    logger: context.logger,
    progress: ({ percentage, message }) =>
      context.progress({ percentage: percentageAt(percentage ?? 0), message: `${place}: ${message}` }),
  }
}
