import type { Data } from '../../data/data.ts'
import { createStatements } from '../../data/statements.ts'
import { qualified } from '../../data/tables/table-ddl.ts'
import { noDataSource } from '../../data/write/write-rows.ts'
import { findDataSource } from '../../model/catalogue-graph.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { failed, type Outcome } from '../../model/outcome.ts'
import { checkedCondition } from '../checked-condition.ts'
import { createDataExecutor } from '../data-executor.ts'
import type { ExecutionContext, Executor } from '../executor.ts'
import { runWrite } from '../run-write.ts'
import { keepOthers } from './keep-others.ts'
import { countOf, matchedPartitions } from './matched-partitions.ts'
import type { DeleteSpec } from './spec.ts'

type Options = { readonly data: Data }

/** Deletes rows by a condition. Rewrites the parts of a table that have such rows, and links all others. Leaves alone what is materialized from them. */
export const createDeleteExecutor = ({ data }: Options): Executor =>
  createDataExecutor({ kind: 'delete', data, run: (job, context) => runAttempt(data, job, context) })

const runAttempt = async (data: Data, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { datasource, condition: given, dry_run: isDry = false } = (JSON.parse(job.spec) as DeleteSpec).delete
  const { workspace } = job
  const condition = await checkedCondition(data, given, { job, context })
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
    load: staged => keepOthers({ data, workspace, staged, condition, context }),
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
  if (target === undefined) {
    const { reason, message } = noDataSource(datasource)
    return failed(reason, message)
  }
  const statements = createStatements({ warehouse, job, signal: context.stop.signal })
  const table = qualified(warehouse.database(job.workspace), target.name)
  const matched = await matchedPartitions(statements, { table, condition })
  return { type: 'completed', statistics: { rows_to_be_deleted: countOf(matched) } }
}
