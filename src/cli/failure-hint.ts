import { ERRORS } from '../kernel/errors.ts'
import type { JobAnswer } from './client/job-answer.ts'

/** Failures whose message already says what to do. */
const NO_NEWS: ReadonlySet<string> = new Set(['sql_error'])

/** For hints that name API calls: the same with commands. */
const IN_COMMANDS: Readonly<Record<string, string>> = {
  data_source_not_found: 'Make it (millrace datasources create), or import with --create.',
  pipe_not_found: 'millrace pipes show NAME shows its nodes and their roles.',
  schema_mismatch: 'millrace datasources show NAME shows its columns.',
}

/** What to do about the failure of a job; undefined if it has not failed, or if there is nothing to add. */
export const failureHint = ({ status, error, status_reason: reason }: JobAnswer): string | undefined => {
  const code = error?.code ?? reason ?? ''
  if (status !== 'failed' || !Object.hasOwn(ERRORS, code) || NO_NEWS.has(code)) return undefined
  return IN_COMMANDS[code] ?? ERRORS[code as keyof typeof ERRORS].hint
}
