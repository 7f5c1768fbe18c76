import type { AttemptLog } from '../logs/job-logs.ts'

/** The log of an attempt, opened at its first line: a job that writes nothing, as most short ones do, costs no log. */
export const createLateLog = (open: () => AttemptLog): AttemptLog => {
  let log: AttemptLog | null = null
  const opened = (): AttemptLog => {
    log ??= open()
    return log
  }
  return {
    write: (stream, bytes) => opened().write(stream, bytes),
    note: text => opened().note(text),
    get fault() {
      return log?.fault ?? null
    },
    finish: async () => (log === null ? [] : log.finish()),
    dispose: async () => log?.dispose(),
  }
}
