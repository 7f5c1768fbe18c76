import { findServer } from '../../client/server-address.ts'
import { runPath } from '../../client/workflows.ts'
import type { Define } from '../../define.ts'
import { addJobFilters, type JobFilterOptions, showJobs } from '../../show-jobs.ts'

/** `millrace runs jobs ID`: the items of a run, which are jobs. */
export const defineJobs: Define = (command, context) => {
  addJobFilters(command.description('list the items of a run').argument('<id>', 'id of the run')).action(
    (id: string, options: JobFilterOptions) =>
      showJobs({ server: findServer(context), context, path: runPath(id, '/jobs'), options }),
  )
}
