import type { ServerAddress } from './client/server-address.ts'
import type { RunAnswer, TriggerAnswer } from './client/workflows.ts'
import type { CliContext } from './context.ts'
import { EXIT, exitCodeOfRun } from './exit-code.ts'
import { notes } from './terminal/note.ts'
import { countsText } from './terminal/run-progress.ts'
import { watchRun } from './watch-run.ts'

/** The options of every command that starts or watches a run. */
export type FollowOptions = { readonly wait?: boolean; readonly follow?: boolean; readonly json?: boolean }

/** Prints the id of a new run, or waits for its end. Resolves with the exit code. */
export const followRun = async (input: {
  readonly server: ServerAddress
  readonly context: CliContext
  readonly answer: TriggerAnswer
  readonly options: FollowOptions
}): Promise<number> => {
  const { server, context, answer, options } = input
  const { stdout, stderr } = context
  if (!options.wait && !options.follow) {
    stdout.write(options.json ? `${JSON.stringify(answer)}\n` : `${answer.run_id}\n`)
    return EXIT.ok
  }
  if (!options.json) stdout.write(`${answer.run_id}\n`)
  const run = await watchRun({ server, runId: answer.run_id, context, progress: options.follow ?? false })
  if (run === null) return EXIT.interrupted
  if (options.json) stdout.write(`${JSON.stringify(run)}\n`)
  else {
    if (run.status !== 'completed' && !(options.follow && !stderr.isTTY)) explain(run, context)
    if (run.counts.failed > 0) notes(context)(`see what failed: millrace runs jobs ${run.run_id} --status failed`)
  }
  return exitCodeOfRun(run)
}

const explain = (run: RunAnswer, context: CliContext): void => {
  const reason = run.status_reason === null ? '' : ` (${run.status_reason})`
  notes(context)(`run ${run.run_id} ${run.status}${reason}: ${countsText(run.counts)}`)
}
