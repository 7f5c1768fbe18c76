import { resolve } from 'node:path'
import { type Incoming, saveTo, saveToFile } from '../client/download.ts'
import { getJob, jobPath, waitForJob } from '../client/jobs.ts'
import { findServer } from '../client/server-address.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { refuseBinary } from '../refuse-binary.ts'

type ResultOptions = { readonly output?: string; readonly wait?: boolean }

/** `millrace result ID`: writes the result of a job to standard output, or to a file that exists only once it is complete. */
export const result: Define = (command, context) => {
  command
    .argument('<id>', 'id of the job')
    .option('-o, --output <file>', 'write to this file; default: standard output (-)')
    .option('-w, --wait', 'wait until the job has ended')
    .action(async (jobId: string, { output, wait }: ResultOptions) => {
      const server = findServer(context)
      const job = wait ? await waitForJob(server, jobId) : await getJob(server, jobId)
      if (job.finished_at !== null && job.status !== 'completed' && !job.result)
        throw new CliFailure(`the job ${job.status} and left no result`, { exitCode: EXIT.failed })
      if (output === undefined && job.result) refuseBinary(job.result.format, context)
      const incoming: Incoming = {
        server,
        path: jobPath(jobId, '/result'),
        label: 'result',
        size: job.result?.bytes ?? null,
        sha256: job.result?.sha256 ?? null,
        terminal: context.stderr,
      }
      if (output === undefined || output === '-') await saveTo(incoming, context.stdout)
      else await saveToFile(incoming, resolve(context.directory, output))
    })
}
