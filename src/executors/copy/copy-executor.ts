import type { Data } from '../../data/data.ts'
import { findRole } from '../../data/pipes/check-pipe.ts'
import { compileNode } from '../../data/pipes/compile-select.ts'
import { UNKNOWN_PARAMETER, unknownOfNode } from '../../data/pipes/unknown-parameters.ts'
import { insertQuery } from '../../data/write/insert-query.ts'
import { unknownFault } from '../../data/write/match-columns.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { failed, type Outcome } from '../../model/outcome.ts'
import { limitSettings } from '../../warehouse/limit-settings.ts'
import type { QueryLimits } from '../../warehouse/warehouse.ts'
import { createDataExecutor } from '../data-executor.ts'
import type { ExecutionContext, Executor } from '../executor.ts'
import { withStatementProgress } from '../follow-statements.ts'
import { runWrite } from '../run-write.ts'
import type { CopySpec } from './spec.ts'

type Options = { readonly data: Data; readonly limits: Omit<QueryLimits, 'timeoutMs'> }

/** Writes the rows of a copy node to its data source. */
export const createCopyExecutor = (options: Options): Executor =>
  createDataExecutor({ kind: 'copy', data: options.data, run: (job, context) => runAttempt(options, job, context) })

const runAttempt = async ({ data, limits }: Options, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { copy } = JSON.parse(job.spec) as CopySpec
  const { workspace } = job
  const found = findRole(await data.catalogue(workspace), 'copy', copy)
  if (typeof found === 'string') return failed('pipe_not_found', found)
  return runWrite({
    data,
    job,
    context,
    target: found.role.into,
    mode: copy.mode ?? found.role.mode,
    feeds: true,
    countsRows: true,
    quarantine: false,
    load: async staged => {
      const now = findRole(staged.catalogue, 'copy', copy)
      if (typeof now === 'string') return { type: 'failed', reason: 'pipe_not_found', message: now }
      const sql = await compileNode(data, { workspace, catalogue: staged.catalogue, pipe: now.pipe, node: now.node })
      const { parameters = {} } = copy
      // The parameters of a workflow's item have not been checked before.
      const [unknown] = unknownOfNode(staged.catalogue, now, parameters)
      if (unknown !== undefined)
        return { type: 'failed', reason: 'sql_error', message: `The parameter ${unknown} ${UNKNOWN_PARAMETER}.` }
      const settings = limitSettings({ ...limits, timeoutMs: job.timeoutMs })
      return withStatementProgress(staged.statements, context, () =>
        insertQuery({ data, staged, sql, parameters, fault: unknownFault, settings }),
      )
    },
  })
}
