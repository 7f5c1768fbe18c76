import type { Writer } from '../writer.ts'
import { pauseOpenRun, resumePausedRun } from './pause-run.ts'
import { readRunRow } from './read-runs.ts'
import { findRun, type RunState } from './run.ts'
import { settleRuns } from './settle-runs.ts'
import { beginTermination } from './terminate-run.ts'

type Which = { readonly workspace: string; readonly runId: string }

export const pauseRun = (writer: Writer, which: Which) => change(writer, which, run => pauseOpenRun(writer, run))

export const resumeRun = (writer: Writer, which: Which) => change(writer, which, run => resumePausedRun(writer, run))

export const terminateRun = (writer: Writer, { graceMs, ...which }: Which & { graceMs: number | null }) =>
  change(writer, which, run => beginTermination(writer, run, { reason: 'terminated_by_user', graceMs }))

const change = (writer: Writer, { workspace, runId }: Which, move: (run: RunState) => boolean) => {
  const run = findRun(writer.db, workspace, runId)
  if (!run) return 'not_found'
  const changed = move(run)
  settleRuns(writer)
  return { run: readRunRow(writer.db, run.seq), changed }
}
