import { conditionFault } from '../../data/condition-fault.ts'
import type { Data } from '../../data/data.ts'
import { columnNames, copySettings } from '../../data/insert-select.ts'
import { createStatements } from '../../data/statements.ts'
import { qualified } from '../../data/table-ddl.ts'
import { type Loaded, noDataSource, type Staged } from '../../data/write-rows.ts'
import { findDataSource } from '../../model/catalogue-graph.ts'
import type { ClaimedJob } from '../../model/job.ts'
import type { Outcome } from '../../model/outcome.ts'
import type { ExecutionContext, Executor } from '../executor.ts'
import { withStatementProgress } from '../follow-statements.ts'
import { failed, runWrite } from '../run-write.ts'
import { createWriteExecutor } from '../write-executor.ts'
import type { DeleteSpec } from './spec.ts'

type Options = { readonly data: Data }

/** Deletes rows by a condition: partitions that have such rows are written anew, all others are linked. What is materialized from them stays. */
export const createDeleteExecutor = ({ data }: Options): Executor =>
  createWriteExecutor({ kind: 'delete', data, run: (job, context) => runAttempt(data, job, context) })

const runAttempt = async (data: Data, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { datasource, condition: given, dry_run: isDry = false } = (JSON.parse(job.spec) as DeleteSpec).delete
  const { workspace } = job
  await data.ready(workspace)
  const condition = await data.warehouse.checkExpression({ workspace, sql: given })
  if (isDry) return countOnly(data, { job, context, datasource, condition })
  return runWrite({
    data,
    job,
    context,
    target: datasource,
    mode: 'replace',
    feeds: false,
    countsRows: false,
    quarantine: false,
    load: staged => keepOthers(staged, condition, context),
  })
}

type Counting = {
  readonly job: ClaimedJob
  readonly context: ExecutionContext
  readonly datasource: string
  readonly condition: string
}

const countOnly = async (data: Data, { job, context, datasource, condition }: Counting): Promise<Outcome> => {
  const { warehouse } = data
  const target = findDataSource(await data.catalogue(job.workspace), datasource)
  if (target === undefined) return failed(noDataSource(datasource))
  const statements = createStatements({ warehouse, job, signal: context.stop.signal })
  const matched = await matchedPartitions(
    { statements, table: qualified(warehouse.database(job.workspace), target.name) },
    condition,
  )
  return { type: 'completed', statistics: { rows_to_be_deleted: sumOf(matched) } }
}

type Matched = { readonly partition: string; readonly count: string }

const matchedPartitions = async (
  { statements, table }: { readonly statements: Staged['statements']; readonly table: string },
  condition: string,
): Promise<readonly Matched[]> => {
  try {
    return await statements.rows<Matched>({
      // Where the condition stands, no name of ours may be that of a column.
      sql: `SELECT \`\tpartition\` AS partition, count() AS count FROM (
        SELECT _partition_id AS \`\tpartition\` FROM ${table} WHERE ${condition}) GROUP BY partition ORDER BY partition`,
      settings: { readonly: 1 },
    })
  } catch (error) {
    throw conditionFault(error)
  }
}

const sumOf = (matched: readonly Matched[]): number => matched.reduce((sum, { count }) => sum + Number(count), 0)

const keepOthers = async (staged: Staged, condition: string, context: ExecutionContext): Promise<Loaded> => {
  const { statements, database, liveDatabase, target } = staged
  const live = qualified(liveDatabase, target.name)
  const next = qualified(database, target.name)
  const matched = await matchedPartitions({ statements, table: live }, condition)
  await statements.command({ sql: `ALTER TABLE ${next} ATTACH PARTITION ALL FROM ${live}` })
  for (const [index, { partition }] of matched.entries()) {
    await statements.command({ sql: `ALTER TABLE ${next} DROP PARTITION ID '${partition}'` })
    const names = columnNames(target)
    // A condition that is null holds for no row.
    const kept = `SELECT ${names} FROM ${live} WHERE _partition_id = {partition:String} AND NOT ifNull(${condition}, 0)`
    const insert = {
      sql: `INSERT INTO ${next} (${names}) ${kept}`,
      parameters: { partition },
      settings: copySettings(target),
    }
    await withStatementProgress(statements, beginPart(context, index, matched.length), () => statements.command(insert))
  }
  return { type: 'loaded', outcome: { rows_deleted: sumOf(matched) } }
}

/** A context whose progress is that of one of so many equal parts; told at once that it begins. */
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
