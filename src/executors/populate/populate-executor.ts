import type { Data } from '../../data/data.ts'
import { findRole } from '../../data/pipes/check-pipe.ts'
import type { Staged, WriteFailure } from '../../data/write/write-rows.ts'
import { sourceOf } from '../../model/catalogue-graph.ts'
import type { WriteMode } from '../../model/data-source.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { failed, type Outcome } from '../../model/outcome.ts'
import { checkedCondition } from '../checked-condition.ts'
import { createDataExecutor } from '../data-executor.ts'
import type { ExecutionContext, Executor } from '../executor.ts'
import { runWrite } from '../run-write.ts'
import { type History, loadHistory } from './load-history.ts'
import type { PopulateSpec } from './spec.ts'

type Options = { readonly data: Data }

/** Feeds a materialized node the whole history of its source, step by step. */
export const createPopulateExecutor = ({ data }: Options): Executor =>
  createDataExecutor({ kind: 'populate', data, run: (job, context) => runAttempt(data, job, context) })

const runAttempt = async (data: Data, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { populate } = JSON.parse(job.spec) as PopulateSpec
  const found = findRole(await data.catalogue(job.workspace), 'materialized', populate)
  if (typeof found === 'string') return failed('pipe_not_found', found)
  const { condition: given } = populate
  const condition = given === undefined ? null : await checkedCondition(data, given, { job, context })
  return runWrite({
    data,
    job,
    context,
    target: found.role.into,
    mode: modeOf(populate),
    feeds: true,
    countsRows: false,
    quarantine: false,
    load: async staged => {
      const history = toHistory(staged, populate, condition)
      return 'type' in history ? history : loadHistory({ data, job, staged, context, history })
    },
  })
}

/** Looked up again, now that the tables are locked. */
const toHistory = (
  { catalogue }: Staged,
  populate: PopulateSpec['populate'],
  condition: string | null,
): History | WriteFailure => {
  const found = findRole(catalogue, 'materialized', populate)
  if (typeof found === 'string') return notFound(found)
  const source = sourceOf(catalogue, found.pipe, found.node)
  if (source === null) return notFound(`The node ${found.node.name} reads no data source.`)
  return {
    ...found,
    source,
    mode: modeOf(populate),
    subset: populate.subset ?? null,
    condition: populate.subset === undefined ? condition : null,
  }
}

const modeOf = ({ truncate }: PopulateSpec['populate']): WriteMode => (truncate === true ? 'replace' : 'append')

const notFound = (message: string): WriteFailure => ({ type: 'failed', reason: 'pipe_not_found', message })
