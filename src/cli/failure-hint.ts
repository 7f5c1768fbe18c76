import { ERRORS } from '../kernel/errors.ts'
import type { JobAnswer } from './client/job-answer.ts'

/** What the message of the failure says already. */
const NO_NEWS: ReadonlySet<string> = new Set(['sql_error'])

/** Those that name calls of the API, in commands. */
const IN_COMMANDS: Readonly<Record<string, string>> = {
  data_source_not_found: 'Make it (millrace datasources create), or import with --create.',
  pipe_not_found: 'millrace pipes show NAME shows its nodes and their roles.',
  schema_mismatch: 'millrace datasources show NAME shows its columns.',
}

/** What can be done about the failure of a job; undefined where it has not failed. */
export const failureHint = ({ status, error, status_reason: reason }: JobAnswer): string | undefined => {
  const code = error?.code ?? reason ?? ''
  if (status !== 'failed' || !Object.hasOwn(ERRORS, code) || NO_NEWS.has(code)) return undefined
  return IN_COMMANDS[code] ?? ERRORS[code as keyof typeof ERRORS].hint
}
