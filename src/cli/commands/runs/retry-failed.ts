import { postOnce } from '../../client/jobs.ts'
import { findServer } from '../../client/server-address.ts'
import { runPath, type TriggerAnswer } from '../../client/workflows.ts'
import type { Define } from '../../define.ts'
import { type FollowOptions, followRun } from '../../follow-run.ts'
import { notes } from '../../terminal/note.ts'

type RetriedAnswer = TriggerAnswer & { readonly items_purged: number }

/** `millrace runs retry-failed ID`: starts a new run of the failed items of an ended one. Prints its id. */
export const defineRetryFailed: Define = (command, context, finish) => {
  command
    .description('create a new run from the failed items of a run')
    .argument('<id>', 'id of the run')
    .option('-w, --wait', 'wait for the end of the new run; exit with 0 if it completed, otherwise 1')
    .option('-f, --follow', 'the same, and show its progress')
    .option('--json', 'print JSON: the response, or with --wait the run')
    .action(async (id: string, options: FollowOptions) => {
      const server = findServer(context)
      const answer = await postOnce<RetriedAnswer>(server, { path: runPath(id, '/retry_failed') })
      const { items_purged: purged } = answer
      if (purged > 0)
        notes(context)(
          `${purged} of the failed items ${purged === 1 ? 'has' : 'have'} been purged and cannot run again`,
        )
      finish(await followRun({ server, context, answer, options }))
    })
}
