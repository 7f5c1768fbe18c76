import { findServer } from '../../client/server-address.ts'
import type { Define } from '../../define.ts'
import { addRunFilters, type RunFilterOptions, showRuns } from '../../show-runs.ts'

/** `millrace runs`: the newest runs of all workflows, or of one. */
export const defineList: Define = (command, context) => {
  addRunFilters(
    command.description('list runs').option('-w, --workflow <name>', 'only of this workflow, by name or id'),
  ).action((options: RunFilterOptions & { readonly workflow?: string }) => {
    const { workflow } = options
    const query = { workflow }
    const named = workflow === undefined
    return showRuns({ server: findServer(context), context, path: '/v1/runs', query, options, named })
  })
}
