import type { ErrorCode } from '../kernel/errors.ts'

/** For codes of `docs/errors.md` whose hint names calls or fields of the API: the same with commands. */
export const COMMAND_HINTS: Readonly<Record<string, string | undefined>> = {
  unauthenticated: 'Set MILLRACE_TOKEN to a valid token (millrace tokens create).',
  job_not_ended: 'Wait for it to end (millrace job ID --wait), or cancel it.',
  not_finished: 'Wait for it to complete: --wait.',
  workflow_has_open_runs: 'Wait for it to end, or terminate it (millrace runs terminate ID).',
  workflow_paused: 'Resume it first (millrace workflows resume NAME).',
  workflow_terminated: 'Activate it with millrace workflows resume NAME.',
  exit_code: 'Read its log: millrace logs ID.',
  signal: 'Read its log: millrace logs ID. SIGKILL often means out of memory.',
  data_source_not_found: 'Create it (millrace datasources create), or import with --create.',
  pipe_not_found: 'millrace pipes show NAME shows its nodes and their roles.',
  schema_mismatch: 'millrace datasources show NAME shows its columns.',
} satisfies Partial<Record<ErrorCode, string>>
