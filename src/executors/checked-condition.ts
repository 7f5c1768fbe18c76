import type { Data } from '../data/data.ts'
import { unlessAborted } from '../kernel/unless-aborted.ts'
import type { ClaimedJob } from '../model/job.ts'
import type { ExecutionContext } from './executor.ts'

type Attempt = { readonly job: ClaimedJob; readonly context: ExecutionContext }

/**
 * Waits until the engine is ready, and returns a user's condition as the guard does. Throws `WarehouseError`. A stop waits for neither: an engine's start and
 * its check of SQL cannot be cancelled.
 */
export const checkedCondition = async (data: Data, sql: string, { job, context }: Attempt): Promise<string> => {
  const { workspace } = job
  const { signal } = context.stop
  await unlessAborted(signal, data.ready(workspace))
  return unlessAborted(signal, data.warehouse.checkExpression({ workspace, sql }))
}
