import { MillraceError } from '../kernel/errors.ts'

/** `not_found` for a job that does not exist or belongs to another workspace. */
export const noSuchJob = (jobId: string): MillraceError => new MillraceError('not_found', `There is no job ${jobId}.`)

/** The same for a workflow, given by id or name. */
export const noSuchWorkflow = (name: string): MillraceError =>
  new MillraceError('not_found', `There is no workflow ${JSON.stringify(name)}.`)

/** The same for a run. */
export const noSuchRun = (runId: string): MillraceError => new MillraceError('not_found', `There is no run ${runId}.`)
