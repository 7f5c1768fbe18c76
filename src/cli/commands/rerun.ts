import { Option } from 'commander'
import { jobPath, postOnce, type SubmitAnswer } from '../client/jobs.ts'
import { findServer } from '../client/server-address.ts'
import type { Define } from '../define.ts'
import { submitWatched } from '../submit-watched.ts'
import { watchJob } from '../watch-job.ts'

/** `millrace rerun ID`: submits a new job with the same parameters, including secrets. Prints its id. */
export const rerun: Define = (command, context, finish) => {
  command
    .argument('<id>', 'id of the job')
    .option('-f, --follow', 'follow the log of the new job and exit with its exit code')
    .addOption(new Option('--json', 'print the response as JSON').conflicts('follow'))
    .action(async (id: string, options: { follow?: boolean; json?: boolean }) => {
      const server = findServer(context)
      const request = { path: jobPath(id, '/rerun') }
      if (options.follow)
        return finish(await watchJob({ server, context, ...(await submitWatched(server, context, request)) }))
      const answer = await postOnce<SubmitAnswer>(server, request)
      context.stdout.write(`${options.json ? JSON.stringify(answer) : answer.job_id}\n`)
    })
}
