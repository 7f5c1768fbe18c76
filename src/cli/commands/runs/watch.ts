import { findServer } from '../../client/server-address.ts'
import { getRun } from '../../client/workflows.ts'
import type { Define } from '../../define.ts'
import { followRun } from '../../follow-run.ts'

/** `millrace runs watch ID`: waits for a run to end; Ctrl-C stops watching. */
export const defineWatch: Define = (command, context, finish) => {
  command
    .description('show the progress of a run until it ends; exit with 0 if it completed, otherwise 1')
    .argument('<id>', 'id of the run')
    .option('--json', 'print the run as JSON at its end')
    .action(async (id: string, options: { json?: boolean }) => {
      const server = findServer(context)
      // Fails at once if there is no such run.
      const answer = await getRun(server, id)
      finish(await followRun({ server, context, answer, options: { ...options, follow: true } }))
    })
}
