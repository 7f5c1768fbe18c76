import { ERRORS } from '../kernel/errors.ts'
import type { JobAnswer } from './client/job-answer.ts'
import { COMMAND_HINTS } from './command-hints.ts'
import { EXIT } from './exit-code.ts'
import { CliFailure } from './failure.ts'

/** Failures whose message already says what to do. */
const SELF_EXPLAINING: ReadonlySet<string> = new Set(['sql_error'])

/** A job that did not complete, as the failure of the command that waited for it. */
export const jobFailure = (job: JobAnswer): CliFailure =>
  new CliFailure(job.error?.message ?? `the job ${job.job_id} was ${job.status}`, {
    exitCode: EXIT.failed,
    hint: failureHint(job),
  })

/** What to do about the failure of a job; undefined if it has not failed, or if there is nothing to add. */
export const failureHint = ({ status, error, status_reason: reason }: JobAnswer): string | undefined => {
  const code = error?.code ?? reason ?? ''
  if (status !== 'failed' || !Object.hasOwn(ERRORS, code) || SELF_EXPLAINING.has(code)) return undefined
  return COMMAND_HINTS[code] ?? ERRORS[code as keyof typeof ERRORS].hint
}
