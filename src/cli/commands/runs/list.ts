import { findServer } from '../../client/server-address.ts'
import { findWorkflowId } from '../../client/workflows.ts'
import type { Define } from '../../define.ts'
import { addRunFilters, type RunFilterOptions, showRuns } from '../../show-runs.ts'

/** `millrace runs`: the newest runs of all workflows, or of one. */
export const defineList: Define = (command, context) => {
  addRunFilters(
    command.description('list runs').option('-w, --workflow <name>', 'only of this workflow, by name or id'),
  ).action(async (options: RunFilterOptions & { readonly workflow?: string }) => {
    const server = findServer(context)
    const workflowId = await findWorkflowId(server, options.workflow)
    const query = { workflow_id: workflowId }
    await showRuns({ server, context, path: '/v1/runs', query, options, named: workflowId === undefined })
  })
}
