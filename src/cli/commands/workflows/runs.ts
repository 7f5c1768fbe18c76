import { findServer } from '../../client/server-address.ts'
import { workflowPath } from '../../client/workflows.ts'
import type { Define } from '../../define.ts'
import { addRunFilters, type RunFilterOptions, showRuns } from '../../show-runs.ts'

/** `millrace workflows runs NAME`: the newest runs of one workflow. */
export const defineRuns: Define = (command, context) => {
  addRunFilters(
    command.description('list the runs of a workflow').argument('<name>', 'name or id of the workflow'),
  ).action((name: string, options: RunFilterOptions) =>
    showRuns({ server: findServer(context), context, path: workflowPath(name, '/runs'), options }),
  )
}
