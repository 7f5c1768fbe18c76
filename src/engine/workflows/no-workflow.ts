import { MillraceError } from '../../kernel/errors.ts'

/** The error for a workflow that does not exist or belongs to another workspace. `name` is an id or a name. */
export const noWorkflow = (name: string): MillraceError =>
  new MillraceError('not_found', `There is no workflow ${JSON.stringify(name)}.`)

export const noRun = (runId: string): MillraceError => new MillraceError('not_found', `There is no run ${runId}.`)
