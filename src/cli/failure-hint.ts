import { ERRORS } from '../kernel/errors.ts'
import type { JobAnswer } from './client/job-answer.ts'

/** What the message of the failure says already. */
const NO_NEWS: ReadonlySet<string> = new Set(['sql_error'])

/** What can be done about the failure of a job; undefined where it has not failed. */
export const failureHint = ({ status, error, status_reason: reason }: JobAnswer): string | undefined => {
  const code = error?.code ?? reason ?? ''
  return status === 'failed' && Object.hasOwn(ERRORS, code) && !NO_NEWS.has(code)
    ? ERRORS[code as keyof typeof ERRORS].hint
    : undefined
}
