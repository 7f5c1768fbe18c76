import { constants } from 'node:os'
import type { JobAnswer } from './client/job-answer.ts'
import type { RunAnswer } from './client/workflows.ts'

/** The command line's own exit codes; `millrace --help` prints them. */
export const EXIT = {
  ok: 0,
  /** A job failed without an exit code of its own or was cancelled, or a check failed. */
  failed: 1,
  /** Wrong arguments or configuration. */
  usage: 2,
  /** The server refused or is unreachable. Distinct from the usual exit codes of jobs, as in `docker run`. */
  server: 125,
  /** Ended by Ctrl-C, as in shells: 128 + SIGINT. */
  interrupted: 130,
} as const

/** The exit code of `millrace run`: the job's own if it has one, 128 + n for a signal, 1 for any other failure. */
export const exitCodeOf = (job: Pick<JobAnswer, 'status' | 'status_reason' | 'exit_code' | 'signal'>): number => {
  if (job.status === 'completed') return job.exit_code ?? EXIT.ok
  if (job.status === 'failed' && job.status_reason === 'exit_code') return job.exit_code ?? EXIT.failed
  if (job.status === 'failed' && job.status_reason === 'signal') return signalExitCode(job.signal)
  return EXIT.failed
}

/** The exit code of commands that wait for a run: 0 only if it completed. */
export const exitCodeOfRun = ({ status }: Pick<RunAnswer, 'status'>): number =>
  status === 'completed' ? EXIT.ok : EXIT.failed

const signalExitCode = (signal: string | null): number => {
  const number = (constants.signals as Readonly<Record<string, number>>)[signal ?? '']
  return number === undefined ? EXIT.failed : 128 + number
}
