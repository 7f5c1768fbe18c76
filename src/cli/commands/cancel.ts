import { cancelJob } from '../client/jobs.ts'
import { findServer } from '../client/server-address.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { seconds } from '../option-value.ts'
import { plainLines } from '../terminal/plain-text.ts'

/** `millrace cancel ID…`: asks each job to stop, and prints the outcome for each. */
export const cancel: Define = (command, context, finish) => {
  command
    .argument('<id...>', 'ids of jobs')
    .option('--grace <seconds>', 'time between SIGTERM and SIGKILL; 0 kills at once', seconds)
    .option('--json', 'print the jobs as JSON, one per line')
    .action(async (ids: readonly string[], options: { grace?: number; json?: boolean }) => {
      const server = findServer(context)
      for (const id of ids) {
        try {
          const job = await cancelJob(server, id, options.grace)
          context.stdout.write(options.json ? `${JSON.stringify(job)}\n` : `${id} ${job.status}\n`)
        } catch (error) {
          // The other jobs are still cancelled, unless the server is unreachable.
          if (!(error instanceof CliFailure) || error.status === undefined) throw error
          context.stderr.write(`${id} ${plainLines(error.message)}\n`)
          finish(EXIT.server)
        }
      }
    })
}
