import { findServer } from '../client/server-address.ts'
import { findWorkflowId } from '../client/workflows.ts'
import type { Define } from '../define.ts'
import { addJobFilters, type JobFilterOptions, showJobs } from '../show-jobs.ts'

type JobsOptions = JobFilterOptions & {
  readonly queue?: string
  readonly parent?: string
  readonly run?: string
  readonly workflow?: string
}

/** `millrace jobs`: the newest jobs, filtered. */
export const jobs: Define = (command, context) => {
  addJobFilters(command)
    .option('--queue <name>', 'only jobs in this queue')
    .option('--parent <id>', 'only children of this job')
    .option('--run <id>', 'only items of this run')
    .option('-w, --workflow <name>', 'only of this workflow, by name or id')
    .action(async (options: JobsOptions) => {
      const { queue, parent, run, workflow } = options
      const server = findServer(context)
      const workflowId = await findWorkflowId(server, workflow)
      const query = { queue, parent_job_id: parent, run_id: run, workflow_id: workflowId }
      await showJobs({ server, context, path: '/v1/jobs', query, options })
    })
}
