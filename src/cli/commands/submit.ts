import { Option } from 'commander'
import { postOnce, type SubmitAnswer } from '../client/jobs.ts'
import { findServer } from '../client/server-address.ts'
import type { CliContext } from '../context.ts'
import type { Define } from '../define.ts'
import { EXIT } from '../exit-code.ts'
import { CliFailure } from '../failure.ts'
import { placeText, readText } from '../local-file.ts'
import { readJson } from '../read-json.ts'
import { submitWatched } from '../submit-watched.ts'
import { watchJob } from '../watch-job.ts'

/** `millrace submit FILE`: submits one job body, or a list of them, all or nothing. Prints the ids. */
export const submit: Define = (command, context, finish) => {
  command
    .argument('<file>', 'JSON: a job body or a list of them; - reads standard input')
    .option('-f, --follow', 'follow the log and exit with the exit code of the job (for a single job)')
    .addOption(new Option('--json', 'print the response as JSON').conflicts('follow'))
    .action(async (file: string, options: { follow?: boolean; json?: boolean }) => {
      const server = findServer(context)
      const body = await readBody(file, context)
      if (options.follow && Array.isArray(body))
        throw new CliFailure('--follow takes one job body', { exitCode: EXIT.usage })
      if (options.follow) {
        const submitted = await submitWatched(server, context, { path: '/v1/jobs', json: body })
        return finish(await watchJob({ server, context, ...submitted }))
      }
      const answer = Array.isArray(body)
        ? await postOnce<{ jobs: readonly SubmitAnswer[] }>(server, { path: '/v1/jobs/batch', json: { jobs: body } })
        : await postOnce<SubmitAnswer>(server, { path: '/v1/jobs', json: body })
      const jobs = 'jobs' in answer ? answer.jobs : [answer]
      context.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : jobs.map(job => `${job.job_id}\n`).join(''))
    })
}

const readBody = async (file: string, context: CliContext): Promise<unknown> => {
  const content = await readText(file, context)
  try {
    return readJson(content)
  } catch (error) {
    throw new CliFailure(`${placeText(file)}: ${(error as Error).message}`, { exitCode: EXIT.usage })
  }
}
